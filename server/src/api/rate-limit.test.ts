import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi } from '../../test/support/test-api.ts'
import { apiLimits } from './api-limits.ts'
import { createRateLimiter } from './rate-limit.ts'

function limiterAt(options: { perSecond: number; burst: number }) {
  const clock = { at: 0, now: () => 1_000_000 + clock.at, monotonic: () => clock.at }
  return { clock, limiter: createRateLimiter({ ...options, clock }) }
}

test('lets a burst through, then one request for each that has come back', () => {
  const { clock, limiter } = limiterAt({ perSecond: 2, burst: 3 })
  const allowed = () => limiter.take('key_a').isAllowed
  assert.deepEqual([allowed(), allowed(), allowed(), allowed()], [true, true, true, false])
  clock.at += 499
  assert.equal(allowed(), false)
  clock.at += 1
  assert.equal(allowed(), true)
  assert.equal(allowed(), false)
  clock.at += 3_600_000
  assert.deepEqual([allowed(), allowed(), allowed(), allowed()], [true, true, true, false])
})

test('tells what is left, when it is whole again, and when to come back', () => {
  const { limiter } = limiterAt({ perSecond: 2, burst: 2 })
  assert.deepEqual(limiter.take('key_a'), {
    isAllowed: true,
    limit: 2,
    remaining: 1,
    resetAt: 1_000_500,
    windowMs: 1000,
    retryAfterMs: 0,
  })
  limiter.take('key_a')
  const refused = limiter.take('key_a')
  assert.equal(refused.isAllowed, false)
  assert.equal(refused.remaining, 0)
  assert.equal(refused.retryAfterMs, 500)
})

test('what one key asks for costs no other key anything', () => {
  const { limiter } = limiterAt({ perSecond: 1, burst: 1 })
  limiter.take('key_a')
  assert.equal(limiter.take('key_a').isAllowed, false)
  assert.equal(limiter.take('key_b').isAllowed, true)
})

test('a refused request uses nothing up', () => {
  const { clock, limiter } = limiterAt({ perSecond: 1, burst: 1 })
  limiter.take('key_a')
  for (let count = 0; count < 100; count += 1) limiter.take('key_a')
  clock.at += 1000
  assert.equal(limiter.take('key_a').isAllowed, true)
})

test('remembers a bounded number of keys', () => {
  const { limiter } = limiterAt({ perSecond: 1, burst: 1 })
  limiter.take('key_first')
  for (let count = 0; count < apiLimits.cachedKeysMax; count += 1) limiter.take(`key_${count}`)
  assert.equal(limiter.take('key_first').isAllowed, true)
})

test('every answer to a key tells its quota, and what is too much is 429', async () => {
  await using server = await createTestApi({ rateLimit: { perSecond: 1, burst: 3 } })
  const project = await server.addProject()
  const other = await server.addProject()
  const get = (path: string, key: string) => server.call('GET', path, { key })
  const first = await get(project.path, project.key)
  assert.equal(first.status, 200)
  assert.equal(first.headers['x-ratelimit-limit'], '3')
  assert.equal(first.headers['x-ratelimit-remaining'], '2')
  assert.match(String(first.headers['x-ratelimit-reset']), /^\d{10}$/)

  const refused = await get(other.path, project.key)
  assert.equal(refused.status, 403)
  assert.equal(refused.headers['x-ratelimit-remaining'], '1')
  await get(project.path, project.key)

  const tooMuch = await get(project.path, project.key)
  assert.equal(tooMuch.status, 429)
  assert.equal(tooMuch.body.code, 'rate_limit_exceeded')
  assert.equal(tooMuch.headers['retry-after'], '1')
  assert.equal(tooMuch.headers['x-ratelimit-remaining'], '0')
  assert.equal((await get(other.path, other.key)).status, 200)
  server.clock.advance(1000)
  assert.equal((await get(project.path, project.key)).status, 200)
})

test('the root key is not limited', async () => {
  await using server = await createTestApi({ rateLimit: { perSecond: 1, burst: 1 } })
  for (let count = 0; count < 5; count += 1) {
    const reply = await server.call('GET', '/v1/projects')
    assert.equal(reply.status, 200)
    assert.equal(reply.headers['x-ratelimit-limit'], undefined)
  }
})
