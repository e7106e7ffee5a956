import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRotationOrder } from './rotation-order.ts'

test('a rotation was under way for calls that came in before it ended', async () => {
  const order = createRotationOrder()
  const stored = Promise.withResolvers<string>()
  const before = order.moment()
  const rotating = order.during('rot_1', () => stored.promise)
  const meanwhile = order.moment()
  assert.ok(order.wasUnderWay('rot_1', meanwhile))
  stored.resolve('stored')
  assert.equal(await rotating, 'stored')
  const after = order.moment()
  const judged = [before, meanwhile, after].map((moment) => order.wasUnderWay('rot_1', moment))
  assert.deepEqual(judged, [true, true, false])
})

test('one that failed, and is stored all the same, does not stay under way', async () => {
  const order = createRotationOrder()
  const failing = order.during('rot_1', () => Promise.reject(new Error('No answer.')))
  await assert.rejects(failing, /No answer/)
  assert.ok(!order.wasUnderWay('rot_1', order.moment()))
})

test('of a rotation that is not known here it says nothing', () => {
  const order = createRotationOrder()
  assert.ok(!order.wasUnderWay('rot_elsewhere', order.moment()))
})

test('it forgets the oldest of very many', async () => {
  const order = createRotationOrder()
  const moment = order.moment()
  for (let n = 0; n < 10_001; n++) await order.during(`rot_${n}`, async () => {})
  assert.ok(!order.wasUnderWay('rot_0', moment))
  assert.ok(order.wasUnderWay('rot_1', moment))
})
