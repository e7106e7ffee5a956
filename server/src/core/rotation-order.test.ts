import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRotationOrder } from './rotation-order.ts'

test('a rotation was under way for calls that came in before it ended', async () => {
  const order = createRotationOrder({ pause: async () => {} })
  const stored = Promise.withResolvers<string>()
  const before = order.moment()
  const rotating = order.during('rot_1', false, () => stored.promise)
  const meanwhile = order.moment()
  assert.ok(order.wasUnderWay('rot_1', meanwhile))
  stored.resolve('stored')
  assert.equal(await rotating, 'stored')
  const after = order.moment()
  const judged = [before, meanwhile, after].map((moment) => order.wasUnderWay('rot_1', moment))
  assert.deepEqual(judged, [true, true, false])
})

test('while a caller waits for its answer it is under way, for a while after it is stored', async () => {
  const held = Promise.withResolvers<void>()
  const order = createRotationOrder({ pause: () => held.promise })
  const rotating = order.during('rot_1', true, async () => 'stored')
  await new Promise(setImmediate)
  const late = order.moment()
  held.resolve()
  assert.equal(await rotating, 'stored')
  assert.ok(order.wasUnderWay('rot_1', late))
  assert.ok(!order.wasUnderWay('rot_1', order.moment()))
})

test('one that failed, and is stored all the same, does not stay under way', async () => {
  const order = createRotationOrder({ pause: async () => {} })
  const failing = order.during('rot_1', true, () => Promise.reject(new Error('No answer.')))
  await assert.rejects(failing, /No answer/)
  assert.ok(!order.wasUnderWay('rot_1', order.moment()))
})

test('of a rotation that is not known here it says nothing', () => {
  const order = createRotationOrder({ pause: async () => {} })
  assert.ok(!order.wasUnderWay('rot_elsewhere', order.moment()))
})

test('it forgets the oldest of very many', async () => {
  const order = createRotationOrder({ pause: async () => {} })
  const moment = order.moment()
  for (let n = 0; n < 10_001; n++) await order.during(`rot_${n}`, false, async () => {})
  assert.ok(!order.wasUnderWay('rot_0', moment))
  assert.ok(order.wasUnderWay('rot_1', moment))
})

test('an answer is held back while calls keep coming in, but not for ever', async () => {
  const lateAfterHold = async (lateCount: number) => {
    let holds = 0
    const order = createRotationOrder({
      async pause() {
        holds += 1
        if (holds <= lateCount) await order.during(`rot_late_${holds}`, false, async () => {})
      },
    })
    await order.during('rot_1', true, async () => {})
    return holds
  }
  assert.deepEqual(await Promise.all([0, 1, 2, 100].map(lateAfterHold)), [1, 2, 3, 4])
})
