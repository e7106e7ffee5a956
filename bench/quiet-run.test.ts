import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MeasuredRun, quietRun } from './quiet-run.ts'

const run = (foreignCores: number | null, failure: string | null = null): MeasuredRun => ({
  cpu: { foreignCores },
  failure,
})

/** Measures the given runs one after the other, and not one more. */
function attempt(runs: MeasuredRun[], isInTime = () => true) {
  const context = {
    mode: { attemptsMax: 3, quietWaitMsMax: 0 },
    progress: () => {},
    isInTime,
  }
  return quietRun(context, 'a run', async () => {
    const next = runs.shift()
    assert.ok(next, 'measured more often than allowed')
    return next
  })
}

test('takes the first run on a quiet machine', async () => {
  const expected = { run: run(0.05), attempts: 1, isDisturbed: false }
  assert.deepEqual(await attempt([run(0.05)]), expected)
})

test('repeats a run that others disturbed', async () => {
  const expected = { run: run(0.01), attempts: 2, isDisturbed: false }
  assert.deepEqual(await attempt([run(0.5), run(0.01)]), expected)
})

test('keeps the quietest run, flagged, when none was quiet', async () => {
  const expected = { run: run(0.2), attempts: 3, isDisturbed: true }
  assert.deepEqual(await attempt([run(0.5), run(0.2), run(0.9)]), expected)
})

test('does not repeat when there is no time left', async () => {
  const expected = { run: run(0.5), attempts: 1, isDisturbed: true }
  assert.deepEqual(await attempt([run(0.5)], () => false), expected)
})

test('never repeats a failure away, nor prefers a quieter run to one', async () => {
  const lost = run(0.9, 'lost')
  assert.deepEqual(await attempt([lost]), { run: lost, attempts: 1, isDisturbed: true })
  assert.deepEqual(await attempt([run(0.5), lost]), { run: lost, attempts: 2, isDisturbed: true })
})

test('takes the first run where foreign load cannot be seen', async () => {
  assert.equal((await attempt([run(null)])).isDisturbed, false)
})
