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
  room.settle('slow', 10, true)
  assert.ok(room.reserve('slow', 10))
})

test('the sum of deliveries and of their bytes is bounded', () => {
  const many = createHandOffRoom()
  let count = 0
  while (many.reserve(`e${count % 1000}`, 1)) count++
  assert.equal(count, limits.handOffMax)
  assert.equal(many.free(), 0)

  const large = createHandOffRoom()
  const size = 1024 * 1024
  let bytes = 0
  while (large.reserve(`e${bytes}`, size)) bytes += size
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
  assert.equal(room.free(), limits.handOffMax)
})
