import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { endpointModel as endpoint, modelStart as T0 } from '../../test/support/endpoint-model.ts'
import { AppError } from './errors.ts'
import { rotationState, rotationTimeline } from './rotation.ts'

const HOUR_MS = 3_600_000

function refuses(code: string, work: () => unknown): AppError {
  let caught: unknown
  assert.throws(work, (error) => {
    caught = error
    return error instanceof AppError && error.code === code
  })
  return caught as AppError
}

describe('rotate', () => {
  test('keeps the current secret signing beside the new one for 24 hours by default', () => {
    const e = endpoint()
    const { rotation } = e.rotate()
    assert.equal(rotation.previousSecretExpiresAt, T0 + 24 * HOUR_MS)
    assert.deepEqual(e.signing(), ['sec_2', 'sec_1'])
    e.advance(24 * HOUR_MS - 1)
    assert.deepEqual(e.signing(), ['sec_2', 'sec_1'])
    e.advance(1)
    assert.deepEqual(e.signing(), ['sec_2'])
    assert.deepEqual(rotationState(rotation, e.now), {
      status: 'completed',
      completedBy: 'expiry',
      closedAt: T0 + 24 * HOUR_MS,
    })
  })

  test('counts the window in seconds, not in hours (trap: Convoy)', () => {
    const e = endpoint()
    e.rotate({ expireCurrentInSeconds: 3600 })
    e.advance(3600 * 1000)
    assert.deepEqual(e.signing(), ['sec_2'])
  })

  test('computes a default window from now, never from a stored one (trap: Outpost #951)', () => {
    const e = endpoint()
    e.rotate({ expireCurrentInSeconds: 60 })
    e.advance(10 * 24 * HOUR_MS)
    const second = e.rotate()
    assert.equal(second.rotation.previousSecretExpiresAt, e.now + 24 * HOUR_MS)
    assert.deepEqual(e.signing(), ['sec_3', 'sec_2'])
  })

  test('refuses a second rotation while one is open and says what force would do', () => {
    const e = endpoint()
    const first = e.rotate()
    const error = refuses('rotation_in_progress', () => e.rotate())
    assert.equal(error.details.extra?.rotation_id, first.rotation.id)
    assert.match(error.details.detail, /force: true/)
    assert.deepEqual(e.signing(), ['sec_2', 'sec_1'])
  })

  test('a forced rotation keeps the live secret signing (trap: Outpost, coss, Opper)', () => {
    const e = endpoint()
    e.rotate({ expireCurrentInSeconds: 7200 })
    const forced = e.rotate({ force: true, expireCurrentInSeconds: 3600 })
    assert.deepEqual(e.signing(), ['sec_3', 'sec_2', 'sec_1'])
    assert.equal(forced.closes?.outcome.completedBy, 'force')
    assert.deepEqual(forced.rotation.droppedSecretIds, [])
    e.advance(3600 * 1000)
    assert.deepEqual(e.signing(), ['sec_3', 'sec_1'], 'the first keeps its own expiry')
    e.advance(3600 * 1000)
    assert.deepEqual(e.signing(), ['sec_3'])
  })

  test('drops the oldest, by name, where more than three secrets would be live', () => {
    const e = endpoint()
    e.rotate()
    e.rotate({ force: true })
    const { rotation } = e.rotate({ force: true })
    assert.deepEqual(rotation.droppedSecretIds, ['sec_1'])
    assert.equal(e.status('sec_1'), 'revoked')
    assert.deepEqual(e.signing(), ['sec_4', 'sec_3', 'sec_2'])
  })

  test('a cut stops every earlier secret at once, retiring and staged ones included', () => {
    const e = endpoint()
    e.rotate({ expireCurrentInSeconds: 600 })
    refuses('rotation_in_progress', () => e.rotate({ expireCurrentInSeconds: 0 }))
    e.rotate({ force: true, activateAt: e.now + HOUR_MS })
    const { rotation } = e.rotate({ expireCurrentInSeconds: 0, force: true })
    assert.equal(rotation.previousSecretExpiresAt, null)
    assert.deepEqual(e.signing(), ['sec_4'])
    e.advance(2 * HOUR_MS)
    assert.deepEqual(e.signing(), ['sec_4'], 'the staged secret never comes up')
    assert.equal(rotationState(rotation, e.now).completedBy, 'cut')
  })

  test('a staged secret signs from its activation on, and the window counts from there', () => {
    const e = endpoint()
    const at = T0 + 2 * HOUR_MS
    const { rotation } = e.rotate({ activateAt: at, expireCurrentInSeconds: 3600 })
    assert.equal(rotation.previousSecretExpiresAt, at + HOUR_MS)
    assert.equal(e.status('sec_2'), 'staged')
    assert.deepEqual(e.signing(), ['sec_1'])
    e.advance(2 * HOUR_MS)
    assert.deepEqual(e.signing(), ['sec_2', 'sec_1'])
    assert.equal(rotationState(rotation, e.now).status, 'overlapping')
    e.advance(HOUR_MS)
    assert.deepEqual(e.signing(), ['sec_2'])
  })

  test('a staged cut swaps the secrets at the instant of activation', () => {
    const e = endpoint()
    const at = T0 + HOUR_MS
    const { rotation } = e.rotate({ activateAt: at, expireCurrentInSeconds: 0 })
    e.advance(HOUR_MS - 1)
    assert.deepEqual(e.signing(), ['sec_1'])
    e.advance(1)
    assert.deepEqual(e.signing(), ['sec_2'])
    assert.equal(rotationState(rotation, e.now).completedBy, 'cut')
  })

  test('refuses an activation in the past or more than 30 days ahead', () => {
    const e = endpoint()
    refuses('validation_failed', () => e.rotate({ activateAt: T0 }))
    refuses('validation_failed', () => e.rotate({ activateAt: T0 + 31 * 24 * HOUR_MS }))
  })

  test('a format with one signature rotates by a cut, now or at a time', () => {
    const e = endpoint({ signaturesMax: 1 })
    refuses('format_carries_one_signature', () => e.rotate())
    refuses('format_carries_one_signature', () => e.rotate({ expireCurrentInSeconds: 60 }))
    const at = T0 + HOUR_MS
    refuses('format_carries_one_signature', () =>
      e.rotate({ activateAt: at, expireCurrentInSeconds: 60 }),
    )
    assert.equal(e.rotate({ activateAt: at }).rotation.previousSecretExpiresAt, at)
    e.rotate({ expireCurrentInSeconds: 0, force: true })
    assert.deepEqual(e.signing(), ['sec_3'])
  })

  test('keeps to the bounds of the operator, its default included', () => {
    const e = endpoint({ min: 600, max: 7200 })
    refuses('validation_failed', () => e.rotate({ expireCurrentInSeconds: 599 }))
    refuses('validation_failed', () => e.rotate({ expireCurrentInSeconds: 7201 }))
    assert.equal(e.rotate().rotation.previousSecretExpiresAt, T0 + 7200 * 1000)
  })

  test('refuses when the current secret is not the one expected', () => {
    const e = endpoint()
    e.rotate({ expectedCurrentSecretId: 'sec_1', expireCurrentInSeconds: 0 })
    refuses('secret_changed', () => e.rotate({ expectedCurrentSecretId: 'sec_1' }))
  })
})

describe('the verbs', () => {
  test('revoke-previous stops retiring secrets, completes, and may be repeated', () => {
    const e = endpoint()
    e.rotate()
    assert.deepEqual(e.revokePrevious().revokedSecretIds, ['sec_1'])
    assert.deepEqual(e.signing(), ['sec_2'])
    assert.deepEqual(e.revokePrevious(), {
      rotation: null,
      secretChanges: [],
      revokedSecretIds: [],
    })
  })

  test('complete and revoke-previous wait for a staged rotation; cancel discards it', () => {
    const e = endpoint()
    e.rotate({ activateAt: T0 + HOUR_MS })
    refuses('rotation_not_active', () => e.complete())
    refuses('rotation_not_active', () => e.revokePrevious())
    e.cancel()
    e.advance(48 * HOUR_MS)
    assert.deepEqual(e.signing(), ['sec_1'])
  })

  test('cancel rolls back: the predecessor is current again without expiry', () => {
    const e = endpoint()
    e.rotate({ expireCurrentInSeconds: 60 })
    e.cancel()
    e.advance(365 * 24 * HOUR_MS)
    assert.deepEqual(e.signing(), ['sec_1'])
    assert.equal(e.status('sec_2'), 'revoked')
    assert.equal(e.cancel(), null)
    refuses('rotation_closed', () => e.complete())
  })

  test('cancel of a staged cut gives retiring secrets their own expiry back', () => {
    const e = endpoint()
    e.rotate({ expireCurrentInSeconds: 7200 })
    e.rotate({ force: true, activateAt: T0 + HOUR_MS, expireCurrentInSeconds: 0 })
    e.cancel()
    e.advance(HOUR_MS)
    assert.deepEqual(e.signing(), ['sec_2', 'sec_1'])
    e.advance(HOUR_MS)
    assert.deepEqual(e.signing(), ['sec_2'])
  })

  test('a closed rotation tells when the previous secret really stopped', () => {
    const completed = endpoint()
    completed.rotate()
    completed.advance(5_000)
    assert.equal(completed.complete()?.rotation.previousSecretExpiresAt, T0 + 5_000)
    const cancelled = endpoint()
    cancelled.rotate()
    assert.equal(cancelled.cancel()?.rotation.previousSecretExpiresAt, null)
    const forced = endpoint()
    forced.rotate({ activateAt: T0 + HOUR_MS })
    assert.equal(forced.rotate({ force: true }).closes?.rotation.previousSecretExpiresAt, null)
  })

  test('a closed rotation answers a repeated verb and refuses any other', () => {
    const e = endpoint()
    e.rotate({ expireCurrentInSeconds: 60 })
    e.advance(60_000)
    assert.equal(e.complete(), null)
    refuses('rotation_closed', () => e.cancel())
    refuses('rotation_closed', () => e.window(60))
    assert.deepEqual(e.signing(), ['sec_2'], 'nothing expired is revived')
  })

  test('the window can be extended and shortened while it is open, and no further', () => {
    const e = endpoint()
    e.rotate({ expireCurrentInSeconds: 60 })
    e.advance(30_000)
    e.window(3600)
    e.advance(3_599_000)
    assert.deepEqual(e.signing(), ['sec_2', 'sec_1'])
    e.window(1)
    e.advance(1000)
    assert.deepEqual(e.signing(), ['sec_2'])
    refuses('rotation_closed', () => e.window(60))
  })

  test('the timeline tells acts and what time brought, in order', () => {
    const e = endpoint()
    const { rotation } = e.rotate({ activateAt: T0 + HOUR_MS, expireCurrentInSeconds: 60 })
    e.advance(2 * HOUR_MS)
    const entries = rotationTimeline(rotation, e.now)
    assert.deepEqual(
      entries.map(({ what }) => what),
      ['created', 'activated', 'completed'],
    )
  })
})
