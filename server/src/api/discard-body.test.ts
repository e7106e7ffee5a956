import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'
import { discardBody } from './discard-body.ts'

const wide = { bytesMax: 1_000_000, waitMs: 60_000 }

test('reads a body to its end', async () => {
  const body = Readable.from([Buffer.alloc(10), Buffer.alloc(10)])
  await discardBody(body, wide)
  assert.equal(body.readableEnded, true)
  await discardBody(body, wide)
})

test('gives up on a body that is longer than it reads', async () => {
  const body = new PassThrough()
  body.write(Buffer.alloc(20_000))
  await discardBody(body, { ...wide, bytesMax: 10_000 })
  assert.equal(body.readableEnded, false)
  assert.equal(body.listenerCount('data'), 0)
})

test('gives up on a body that does not come', async () => {
  const body = new PassThrough()
  await discardBody(body, { ...wide, waitMs: 1 })
  assert.equal(body.readableEnded, false)
})

test('ends with a body that breaks off', async () => {
  const body = new PassThrough()
  const discarded = discardBody(body, wide)
  body.destroy()
  await discarded
  await discardBody(body, wide)
})
