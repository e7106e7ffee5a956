import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTurns } from './turns.ts'

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

test('so many begin at once, the rest in later turns, in their order', async () => {
  const turns = createTurns({ requestsMax: 3 })
  const begun: number[] = []
  for (let n = 0; n < 8; n++) turns.enter(() => begun.push(n))
  assert.deepEqual(begun, [0, 1, 2])
  await nextTurn()
  assert.deepEqual(begun, [0, 1, 2, 3, 4, 5])
  turns.enter(() => begun.push(8))
  assert.deepEqual(begun.slice(6), [], 'nobody overtakes those who wait')
  await nextTurn()
  assert.deepEqual(begun, [0, 1, 2, 3, 4, 5, 6, 7, 8])
})

test('what comes alone never waits', async () => {
  const turns = createTurns({ requestsMax: 2 })
  for (let n = 0; n < 5; n++) {
    let hasBegun = false
    turns.enter(() => {
      hasBegun = true
    })
    assert.ok(hasBegun)
    await nextTurn()
    await nextTurn()
  }
})

test('one that asks for another lets it wait behind the rest', async () => {
  const turns = createTurns({ requestsMax: 1 })
  const begun: number[] = []
  turns.enter(() => begun.push(0))
  turns.enter(() => {
    begun.push(1)
    turns.enter(() => begun.push(3))
  })
  turns.enter(() => begun.push(2))
  for (let turn = 0; turn < 4; turn++) await nextTurn()
  assert.deepEqual(begun, [0, 1, 2, 3])
})
