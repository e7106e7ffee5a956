import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi } from '../test/support/test-api.ts'
import type { ActionContext } from './actions/action-context.ts'
import { createClockWatch } from './clock-watch.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

async function createWatch() {
  const api = await createTestApi()
  const warnings: string[] = []
  const start = () =>
    createClockWatch({
      context: () => ({ storage: api.storage, clock }) as unknown as ActionContext,
      monotonic: () => monotonicNow,
      warn: (_facts, message) => warnings.push(message),
    })
  let monotonicNow = 0
  let now = Date.UTC(2026, 0, 1)
  const clock = { now: () => now, monotonic: () => monotonicNow }
  return {
    start,
    warnings,
    /** Time passes. */
    pass(ms: number) {
      monotonicNow += ms
      now += ms
    },
    /** The clock is set. */
    set(byMs: number) {
      now += byMs
    },
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  }
}

test('a leap far ahead holds removal off for 12 hours, a small one does not', async () => {
  await using world = await createWatch()
  const watch = world.start()
  await watch.start()
  assert.equal(watch.mayRemove(), true)
  world.set(HOUR_MS)
  await watch.jumped(HOUR_MS)
  assert.equal(watch.mayRemove(), true)
  world.set(400 * DAY_MS)
  await watch.jumped(400 * DAY_MS)
  assert.equal(watch.mayRemove(), false)
  world.pass(12 * HOUR_MS - 1)
  assert.equal(watch.mayRemove(), false)
  world.pass(1)
  assert.equal(watch.mayRemove(), true)
  assert.equal(world.warnings.length, 1)
})

test('a clock that leapt ahead between two processes is found out, again and again', async () => {
  await using world = await createWatch()
  const first = world.start()
  await first.start()
  await first.noteTime()
  world.set(400 * DAY_MS)
  for (let count = 0; count < 2; count++) {
    const next = world.start()
    await next.start()
    assert.equal(next.mayRemove(), false)
    // Were the new time noted, the next start would believe it.
    await next.noteTime()
  }
  world.set(-400 * DAY_MS)
  const last = world.start()
  await last.start()
  assert.equal(last.mayRemove(), true)
})

test('a clock that was set back between two processes is told', async () => {
  await using world = await createWatch()
  const first = world.start()
  await first.start()
  await first.noteTime()
  world.set(-3 * HOUR_MS)
  await world.start().start()
  assert.match(world.warnings.join(), /set back/)
})
