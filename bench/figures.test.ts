import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  arrivalRate,
  latencyOf,
  lossOf,
  median,
  percentile,
  shareLost,
  spreadOf,
  thirds,
} from './figures.ts'

test('a percentile is the nearest rank, never a value between two', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1)
  assert.equal(percentile(hundred, 0.5), 50)
  assert.equal(percentile(hundred, 0.99), 99)
  assert.equal(percentile(hundred, 1), 100)
  assert.equal(percentile([7], 0.01), 7)
  assert.equal(percentile([1, 2, 3], 0.5), 2)
})

test('percentiles of nothing are zero', () => {
  assert.equal(percentile([], 0.5), 0)
  assert.deepEqual(latencyOf([]), { count: 0, p50Us: 0, p99Us: 0, maxUs: 0 })
})

test('latencies are sorted as numbers before their percentiles are taken', () => {
  assert.deepEqual(latencyOf([100, 9, 20]), { count: 3, p50Us: 20, p99Us: 100, maxUs: 100 })
})

test('the median of an even number of runs is the mean of the middle two', () => {
  assert.equal(median([10, 1, 3, 2]), 2.5)
  assert.equal(median([3, 1, 2]), 2)
  assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3 })
})

test('the arrival rate is unique ids over first to last arrival', () => {
  assert.equal(arrivalRate({ unique: 500, firstAtUs: 1_000_000, lastAtUs: 1_500_000 }), 1000)
  assert.equal(arrivalRate({ unique: 1, firstAtUs: 5, lastAtUs: 5 }), 0)
})

test('an accepted event that did not arrive is lost, an unexpected arrival makes up for none', () => {
  assert.equal(lossOf({ accepted: 10, unique: 9 }), 1)
  assert.equal(lossOf({ accepted: 10, unique: 11 }), 0)
})

test('the share lost is of the rate before, and a gain is no loss', () => {
  assert.equal(shareLost(100, 80).toFixed(3), '0.200')
  assert.equal(shareLost(100, 120), 0)
  assert.equal(shareLost(0, 0), 0)
})

test('thirds compare the beginning of a run with its end', () => {
  assert.deepEqual(thirds([1, 3, 50, 60, 7, 9]), { first: 2, last: 8 })
  assert.deepEqual(thirds([4]), { first: 4, last: 4 })
})
