import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpointModel, modelStart as T0 } from '../../test/support/endpoint-model.ts'

/*
 * Several processes: a caller is answered when all of them know of the change, and windows count
 * from there (rotation.md section 2).
 */

const cacheTtlMs = 1_000
const isClosed = { code: 'rotation_closed' }

test('a window begins with the answer, while the new secret signs at once', () => {
  const e = endpointModel({ cacheTtlMs })
  const { rotation } = e.rotate({ expireCurrentInSeconds: 60 })
  assert.equal(rotation.activatesAt, T0)
  assert.equal(rotation.previousSecretExpiresAt, T0 + cacheTtlMs + 60_000)
  assert.deepEqual(e.signing(), ['sec_2', 'sec_1'])
})

test('a cut is one at once: whoever knows of it signs with the new secret alone', () => {
  const e = endpointModel({ cacheTtlMs })
  const { rotation } = e.rotate({ expireCurrentInSeconds: 0 })
  assert.equal(rotation.previousSecretExpiresAt, null)
  assert.deepEqual(e.signing(), ['sec_2'])
})

test('a staged cut stays one, however soon it comes; a staged window begins with the answer', () => {
  const cut = endpointModel({ cacheTtlMs })
  const staged = cut.rotate({ activateAt: T0 + 1, expireCurrentInSeconds: 0 })
  assert.equal(staged.rotation.previousSecretExpiresAt, T0 + 1)
  const open = endpointModel({ cacheTtlMs })
  const soon = open.rotate({ activateAt: T0 + 1, expireCurrentInSeconds: 5 })
  assert.equal(soon.rotation.previousSecretExpiresAt, T0 + cacheTtlMs + 5_000)
  const late = endpointModel({ cacheTtlMs })
  const ahead = late.rotate({ activateAt: T0 + 9_000, expireCurrentInSeconds: 5 })
  assert.equal(ahead.rotation.previousSecretExpiresAt, T0 + 14_000)
})

test('a window that ends before the answer can neither be put off nor cancelled', () => {
  const e = endpointModel({ cacheTtlMs })
  e.rotate({ expireCurrentInSeconds: 60 })
  e.advance(60_000)
  assert.deepEqual(e.signing(), ['sec_2', 'sec_1'], 'the previous secret still signs')
  assert.throws(() => e.window(60), isClosed)
  assert.throws(() => e.cancel(), isClosed)
})
