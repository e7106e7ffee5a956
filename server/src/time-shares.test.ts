import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createTimeShares } from './time-shares.ts'

test('who waits all the time gets as much time as anyone, up to one piece of work', () => {
  const costs = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 50, maxLength: 50 })
  fc.assert(
    fc.property(fc.array(costs, { minLength: 2, maxLength: 5 }), (owners) => {
      const shares = createTimeShares<number>()
      owners.forEach((works, owner) => {
        for (const ms of works) shares.add(String(owner), ms)
      })
      const left = owners.map((works) => works.length)
      const used = owners.map(() => 0)
      while (left.every((count) => count > 0)) {
        const turn = shares.next()
        assert.ok(turn)
        const owner = Number(turn.owner)
        left[owner] = (left[owner] ?? 0) - 1
        used[owner] = (used[owner] ?? 0) + turn.work
        shares.use(turn.owner, turn.work)
        assert.ok(Math.max(...used) - Math.min(...used) <= 100)
      }
    }),
  )
})

test('work of an owner keeps its order, and nothing is lost', () => {
  const shares = createTimeShares<number>()
  for (const work of [1, 2, 3]) shares.add('a', work)
  shares.add('b', 4)
  const works: Record<string, number[]> = { a: [], b: [] }
  for (let turn = shares.next(); turn !== null; turn = shares.next()) {
    works[turn.owner]?.push(turn.work)
    shares.use(turn.owner, 1)
  }
  assert.deepEqual(works, { a: [1, 2, 3], b: [4] })
})

test('coming back each time with one piece of work gains no time', () => {
  const shares = createTimeShares<number>()
  for (let count = 0; count < 1_000; count += 1) shares.add('patient', 1)
  shares.add('pushy', 99)
  const used = { patient: 0, pushy: 0 }
  for (let turn = shares.next(); turn !== null; turn = shares.next()) {
    const { owner, work } = turn
    used[owner as keyof typeof used] += work
    shares.use(owner, work)
    if (used.patient >= 1_000) break
    if (owner === 'pushy') shares.add('pushy', 99)
  }
  assert.ok(used.pushy <= 1_000 + 99, `${used.pushy} ms`)
})

test('time that was used while nobody waited is not held against anyone', () => {
  const shares = createTimeShares<number>()
  shares.add('a', 1)
  assert.equal(shares.next()?.owner, 'a')
  shares.use('a', 5_000)
  assert.equal(shares.next(), null)
  shares.add('a', 1)
  shares.add('b', 1)
  assert.equal(shares.next()?.owner, 'a')
})
