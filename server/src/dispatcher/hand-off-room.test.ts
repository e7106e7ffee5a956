import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../core/limits.ts'
import { createHandOffRoom } from './hand-off-room.ts'

test('an endpoint gets its share and no more, and others still find room', () => {
  const room = createHandOffRoom()
  for (let n = 0; n < limits.handOffPerEndpointMax; n++) assert.ok(room.reserve('slow', 10))
  assert.ok(!room.reserve('slow', 10))
  assert.deepEqual([...room.fullEndpointIds()], ['slow'])
  assert.ok(room.reserve('other', 10))
  const settle = (count: number) => {
    for (let n = 0; n < count; n++) room.settle('slow', 10, true)
  }
  settle(limits.handOffPerEndpointMax / 4 - 1)
  assert.ok(!room.reserve('slow', 10), 'until a quarter is done')
  assert.ok(!room.takeOpened())
  settle(1)
  assert.ok(room.takeOpened())
  assert.ok(!room.takeOpened(), 'told once')
  assert.ok(room.reserve('slow', 10))
})

test('tells when there is room again where there was none in all', () => {
  const room = createHandOffRoom()
  const ids = Array.from({ length: 1000 }, (_, n) => `e${n}`)
  const fill = () => {
    for (let n = 0; room.reserve(ids[n % 1000] ?? '', 1); ) n++
  }
  fill()
  assert.deepEqual([room.free(), room.takeOpened()], [0, false])
  room.settle('e0', 1, true)
  assert.deepEqual([room.free(), room.takeOpened(), room.takeOpened()], [1, true, false])
  fill()
  room.cancel('e1', 1)
  assert.ok(room.takeOpened())
  fill()
  assert.ok(!room.takeOpened())
  room.learn('e2', true)
  assert.ok(room.takeOpened(), 'what it has outstanding counts no more')
})

test('the sum of deliveries and of their bytes is bounded', () => {
  const many = createHandOffRoom()
  for (let n = 0; n < 1000; n++) many.learn(`e${n}`, true)
  let count = 0
  while (many.reserve(`e${count % 1000}`, 1)) count++
  assert.equal(count, limits.handOffMax)
  assert.equal(many.free(), 0)

  const large = createHandOffRoom()
  const size = 1024 * 1024
  let bytes = 0
  large.learn('e', true)
  while (large.reserve('e', size)) bytes += size
  assert.equal(bytes, limits.handOffBytesMax)
})

test('an endpoint that gives deliveries back gets fewer until it takes some', () => {
  const room = createHandOffRoom()
  const fill = () => {
    let count = 0
    while (room.reserve('slow', 1)) count++
    return count
  }
  const first = fill()
  for (let n = 0; n < first; n++) room.settle('slow', 1, false)
  assert.equal(fill(), limits.handOffPerEndpointMin)
  for (let n = 0; n < limits.handOffPerEndpointMin; n++) room.settle('slow', 1, true)
  assert.equal(fill(), limits.handOffPerEndpointMin * 2)
})

test('a cancelled reservation leaves nothing behind', () => {
  const room = createHandOffRoom()
  assert.ok(room.reserve('a', 100))
  room.cancel('a', 100)
  assert.equal(room.outstanding(), 0)
  assert.equal(room.free(), limits.handOffMax * 0.75)
  assert.equal(room.freeForPrompt(), limits.handOffMax)
})

test('what does not answer soon leaves room to what does, and some to what was not tried yet', () => {
  const room = createHandOffRoom()
  const idsOf = (kind: string) => Array.from({ length: 1000 }, (_, n) => `${kind}${n}`)
  const fill = (ids: readonly string[]) => {
    let count = 0
    while (room.reserve(ids[count % ids.length] ?? '', 1)) count++
    return count
  }
  for (const id of idsOf('slow')) room.learn(id, false)
  for (const id of idsOf('prompt')) room.learn(id, true)
  assert.equal(fill(idsOf('slow')), limits.handOffMax * 0.75)
  assert.deepEqual([room.free(), room.freeForPrompt()], [0, limits.handOffMax * 0.25])
  // One each, for what has something outstanding is no newcomer.
  assert.equal(fill(idsOf('untried')), 1000)
  assert.equal(fill(idsOf('prompt')), limits.handOffMax * 0.25 - 1000)
  assert.equal(room.freeForPrompt(), 0)

  // What changes its ways takes what it has outstanding along.
  for (const id of idsOf('slow')) room.learn(id, true)
  assert.equal(room.promptEndpointIds().size, 2000)
  for (const id of idsOf('prompt')) room.learn(id, false)
  for (const id of idsOf('slow')) room.settle(id, 1, true)
  assert.equal(room.free(), 1000)
  assert.equal(fill(['slow0']), 1000)
})
