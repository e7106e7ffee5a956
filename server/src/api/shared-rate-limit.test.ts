import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TokenRule } from '../storage/storage.ts'
import { createSharedRateLimiter } from './shared-rate-limit.ts'

const rule = { perSecond: 20, burst: 40 }

test('nodes together let through the limit and at most one portion each', async () => {
  const { node, pass, asked } = createSubject()
  const nodes = [node(), node(), node()]
  const allowedIn = async (count: number) => {
    const quotas = await Promise.all(
      Array.from({ length: count }, (_, n) => nodes[n % nodes.length]?.take('key_1')),
    )
    return quotas.filter((quota) => quota?.isAllowed).length
  }
  assert.equal(await allowedIn(120), rule.burst)
  const askedBefore = asked()
  assert.equal(await allowedIn(120), 0)
  assert.equal(asked(), askedBefore, 'who is out of tokens is not asked for again at once')
  pass(1_000)
  const allowed = await allowedIn(120)
  assert.ok(allowed <= rule.perSecond && allowed > 0, `${allowed}`)
})

test('a node answers at once from the portion that it has', async () => {
  const { node, asked } = createSubject()
  const { take } = node()
  const first = take('key_1')
  assert.ok(first instanceof Promise)
  assert.equal((await first).remaining, rule.burst - 1)
  assert.ok(!(take('key_1') instanceof Promise))
  assert.equal(asked(), 1)
})

test('says when the next request may come', async () => {
  const { node, pass } = createSubject()
  const { take } = node()
  for (let count = 0; count < rule.burst; count++) assert.ok((await take('key_1')).isAllowed)
  const refused = await take('key_1')
  assert.equal(refused.isAllowed, false)
  assert.equal(refused.retryAfterMs, 1_000 / rule.perSecond)
  assert.equal(refused.remaining, 0)
  pass(refused.retryAfterMs)
  assert.ok((await take('key_1')).isAllowed)
})

/** Nodes on one bucket that fills as time is made to pass. */
function createSubject() {
  let now = 1_000
  let askedCount = 0
  const buckets = new Map<string, { tokens: number; at: number }>()
  const cluster = {
    async takeTokens(name: string, { burst, perSecond }: TokenRule, wanted: number) {
      askedCount += 1
      const { tokens, at } = buckets.get(name) ?? { tokens: burst, at: now }
      const filled = Math.min(burst, tokens + ((now - at) / 1000) * perSecond)
      const taken = Math.min(wanted, Math.floor(filled))
      buckets.set(name, { tokens: filled - taken, at: now })
      return { taken, left: filled - taken }
    },
  }
  const clock = { now: () => now, monotonic: () => now }
  return {
    node: () => createSharedRateLimiter({ cluster, clock, ...rule }),
    asked: () => askedCount,
    pass(ms: number) {
      now += ms
    },
  }
}
