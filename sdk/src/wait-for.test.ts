import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { waitFor } from './wait-for.ts'

test('ends early with the reason of the signal', async () => {
  const controller = new AbortController()
  const waiting = waitFor(60_000, controller.signal)
  controller.abort(new Error('enough'))
  await assert.rejects(waiting, /enough/)
  await assert.rejects(waitFor(60_000, controller.signal), /enough/)
})

test('leaves no listener on a signal that outlives it', async () => {
  const { signal } = new AbortController()
  await waitFor(1, signal)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})
