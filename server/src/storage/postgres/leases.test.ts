import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createLeases, type Lease } from './leases.ts'

suite('leases of a node', () => {
  const lease = (seq: number, token: number, untilMonotonic = 100): Lease => ({
    endpointId: 'ep_1',
    projectSeq: 1,
    seq,
    token,
    untilMonotonic,
  })

  test('one is found by its token until its time is up', () => {
    const leases = createLeases()
    const held = lease(7, 70)
    leases.insert(held)
    assert.equal(leases.get(70, 99), held)
    assert.equal(leases.get(70, 100), undefined)
    assert.equal(leases.get(71, 0), undefined)
  })

  test('a newer one of the same delivery takes its place, and does not end with it', () => {
    const leases = createLeases()
    const newer = lease(7, 71)
    leases.insert(lease(7, 70))
    leases.insert(newer)
    assert.equal(leases.get(70, 0), undefined)
    assert.equal(leases.remove(7, 70), undefined)
    assert.equal(leases.get(71, 0), newer)
    assert.equal(leases.remove(7, 71), newer)
    assert.deepEqual(leases.takeAll(), [])
  })

  test('without a token whichever there is ends', () => {
    const leases = createLeases()
    const held = lease(7, 70)
    leases.insert(held)
    assert.equal(leases.remove(7), held)
    assert.equal(leases.get(70, 0), undefined)
  })

  test('what has run out is taken, in whatever order it came', () => {
    const leases = createLeases()
    for (const [seq, until] of [
      [1, 30],
      [2, 10],
      [3, 20],
    ] as const) {
      leases.insert(lease(seq, seq * 10, until))
    }
    const seqsOf = (taken: Lease[]) => taken.map(({ seq }) => seq).sort()
    assert.deepEqual(leases.takeExpired(9), [])
    assert.deepEqual(seqsOf(leases.takeExpired(20)), [2, 3])
    assert.deepEqual(leases.takeExpired(29), [])
    assert.deepEqual(seqsOf(leases.takeExpired(30)), [1])
    leases.insert(lease(4, 40, 50))
    assert.deepEqual(seqsOf(leases.takeAll()), [4])
    assert.deepEqual(leases.takeExpired(1_000), [])
  })
})
