import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi } from '../../test/support/test-api.ts'
import { apiLimits } from './api-limits.ts'
import { createFailedAttempts } from './failed-attempts.ts'

function attemptsAt() {
  const clock = { at: 0, monotonic: () => clock.at }
  const attempts = createFailedAttempts(clock, null)
  const isRefused = (address: string) => {
    try {
      attempts.refuseWhereTooMany(address)
      return false
    } catch {
      return true
    }
  }
  const fail = (address: string, times: number = apiLimits.failedAttemptsBurst) => {
    for (let count = 0; count < times; count += 1) void attempts.count(address)
  }
  return { clock, attempts, isRefused, fail }
}

test('an address that failed too often waits, and no other', () => {
  const { clock, isRefused, fail } = attemptsAt()
  fail('192.0.2.1', apiLimits.failedAttemptsBurst - 1)
  assert.equal(isRefused('192.0.2.1'), false)
  fail('192.0.2.1', 1)
  assert.equal(isRefused('192.0.2.1'), true)
  assert.equal(isRefused('192.0.2.2'), false)
  clock.at += 1000 / apiLimits.failedAttemptsPerSecond
  assert.equal(isRefused('192.0.2.1'), false)
})

test('the addresses of one IPv6 subscriber count as one', () => {
  const { isRefused, fail } = attemptsAt()
  fail('2001:db8:1:2::1')
  assert.equal(isRefused('2001:db8:1:2:ffff:1:2:3'), true)
  assert.equal(isRefused('2001:db8:1:3::1'), false)
  fail('::1')
  assert.equal(isRefused('::2'), true)
  assert.equal(isRefused('::ffff:192.0.2.1'), false)
})

test('remembers a bounded number of addresses', () => {
  const { isRefused, fail } = attemptsAt()
  fail('first')
  for (let count = 0; count < apiLimits.failedAddressesMax; count += 1) fail(`a${count}`, 1)
  assert.equal(isRefused('first'), false)
})

test('guessing is refused with 429, while keys in use and the root key go on', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const other = await server.addProject()
  const get = (key: string) => server.call('GET', project.path, { key })
  assert.equal((await get(project.key)).status, 200)
  for (let count = 0; count < apiLimits.failedAttemptsBurst; count += 1) {
    assert.equal((await get(`csk_guess${count}`)).status, 401)
  }
  const refused = await get('csk_another')
  assert.equal(refused.status, 429)
  assert.equal(refused.body.code, 'rate_limit_exceeded')
  assert.equal(refused.headers['retry-after'], '1')
  assert.equal((await get(project.key)).status, 200)
  assert.equal((await server.call('GET', project.path)).status, 200)
  // A key that was not seen yet has to wait for a moment, as nobody knows yet that it is right.
  assert.equal((await server.call('GET', other.path, { key: other.key })).status, 429)
  server.clock.advance(1000)
  assert.equal((await server.call('GET', other.path, { key: other.key })).status, 200)
})

test('a request without any credential is no attempt', async () => {
  await using server = await createTestApi()
  for (let count = 0; count < apiLimits.failedAttemptsBurst + 10; count += 1) {
    assert.equal((await server.call('GET', '/v1/projects', { key: null })).status, 401)
  }
  assert.equal((await server.call('GET', '/v1/projects', { key: 'csk_wrong' })).status, 401)
})

test('nodes share what an address has failed', async () => {
  let left = apiLimits.failedAttemptsBurst
  const cluster = {
    async takeTokens() {
      left -= 1
      return { taken: 1, left }
    },
  }
  const clock = { monotonic: () => 0 }
  const [first, second] = [1, 2].map(() => createFailedAttempts(clock, cluster))
  assert.ok(first && second)
  for (let count = 1; count < apiLimits.failedAttemptsBurst; count += 1) {
    await first.count('192.0.2.1')
  }
  second.refuseWhereTooMany('192.0.2.1')
  await second.count('192.0.2.1')
  assert.throws(() => second.refuseWhereTooMany('192.0.2.1'), { code: 'rate_limit_exceeded' })
})
