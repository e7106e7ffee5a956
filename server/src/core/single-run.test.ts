import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSingleRun } from './single-run.ts'

test('runs one at a time, and once more for all who asked meanwhile', async () => {
  let runs = 0
  let atOnce = 0
  const single = createSingleRun(async () => {
    runs++
    atOnce++
    assert.equal(atOnce, 1)
    await new Promise(setImmediate)
    atOnce--
  })
  single.start()
  single.start()
  single.start()
  await single.settled()
  assert.equal(runs, 2)
  single.start()
  await single.settled()
  assert.equal(runs, 3)
})

test('hears whoever asks, however close to the end of a run', async () => {
  // Asks after so many turns of the microtask queue: before the end, at it, and after it.
  for (let turns = 0; turns < 20; turns++) {
    let waiting = 1
    const single = createSingleRun(async () => {
      await null
      waiting = 0
      await null
    })
    single.start()
    for (let turn = 0; turn < turns; turn++) await null
    waiting = 1
    single.start()
    await single.settled()
    assert.equal(waiting, 0, `asked after ${turns} turns`)
  }
})
