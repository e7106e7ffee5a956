import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../test/support/until.ts'
import { createChore } from './chore.ts'

function choreOf(step: () => Promise<boolean>, shareMax = 1) {
  const errors: unknown[] = []
  const chore = createChore({
    step,
    everyMs: 60_000,
    shareMax,
    monotonic: () => performance.now(),
    onError: (error) => errors.push(error),
  })
  return { chore, errors }
}

test('takes steps until nothing is left, and again when it is woken', async () => {
  let left = 5
  let steps = 0
  const { chore } = choreOf(async () => {
    steps += 1
    left -= 1
    return left > 0
  })
  chore.start()
  await until('five steps', () => steps === 5)
  left = 2
  chore.wake()
  await until('seven steps', () => steps === 7)
  await chore.stop()
  chore.wake()
  assert.equal(steps, 7)
})

test('work that comes during a step is not slept over', async () => {
  let steps = 0
  const { chore } = choreOf(async () => {
    steps += 1
    if (steps === 1) chore.wake()
    return false
  })
  chore.start()
  await until('two steps', () => steps === 2)
  await chore.stop()
})

test('an error ends the round, not the chore', async () => {
  let steps = 0
  const { chore, errors } = choreOf(async () => {
    steps += 1
    if (steps === 1) throw new Error('disk full')
    return false
  })
  chore.start()
  await until('an error', () => errors.length === 1)
  chore.wake()
  await until('two steps', () => steps === 2)
  await chore.stop()
})

test('a stop waits for the step under way', async () => {
  const gate = Promise.withResolvers<void>()
  let isDone = false
  const { chore } = choreOf(async () => {
    await gate.promise
    isDone = true
    return true
  })
  chore.start()
  const stopped = chore.stop()
  gate.resolve()
  await stopped
  assert.ok(isDone)
})
