import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type EndpointModel,
  endpointModel as endpoint,
  modelStart as T0,
} from '../../test/support/endpoint-model.ts'
import { AppError } from './errors.ts'
import { limits } from './limits.ts'
import { isRotationOpen, rotationState } from './rotation.ts'

const HOUR_MS = 3_600_000

test('a clock set back does not revive a secret that was seen expired', () => {
  const e = endpoint()
  const { rotation } = e.rotate({ expireCurrentInSeconds: 60 })
  e.advance(60_000)
  e.latch()
  e.advance(-3_000_000)
  assert.deepEqual(e.signing(), ['sec_2'])
  assert.equal(e.status('sec_1'), 'expired')
  const seen = { ...rotation, previousSecretExpirySeenAt: T0 + 60_000 }
  assert.equal(rotationState(seen, e.now).status, 'completed')
})

test('a clock set back does not stop what a rotation has put in force', () => {
  const e = endpoint()
  const { rotation } = e.rotate({ expireCurrentInSeconds: 60 })
  e.advance(-HOUR_MS)
  assert.deepEqual(e.signing(), ['sec_2', 'sec_1'])
  assert.equal(rotationState(rotation, e.now).status, 'overlapping')
  e.rotate({ expireCurrentInSeconds: 0, force: true })
  assert.deepEqual(e.signing(), ['sec_3'])
  e.advance(-HOUR_MS)
  assert.deepEqual(e.signing(), ['sec_3'])
  const later = e.rotate({ expireCurrentInSeconds: 60 })
  assert.deepEqual(e.signing(), ['sec_4', 'sec_3'], 'the newest comes first')
  assert.equal(later.rotation.previousSecretExpiresAt, e.now + 60_000, 'counted from now')
  assert.deepEqual(e.revokePrevious().revokedSecretIds, ['sec_3'])
})

test('after a staged cut the new secret signs on although the clock is set back before it', () => {
  const e = endpoint()
  e.rotate({ activateAt: T0 + HOUR_MS, expireCurrentInSeconds: 0 })
  e.advance(HOUR_MS)
  e.latch()
  e.advance(-HOUR_MS / 2)
  assert.deepEqual(e.signing(), ['sec_2'])
  assert.equal(e.status('sec_2'), 'current')
  e.rotate({ expireCurrentInSeconds: 60 })
  assert.deepEqual(e.signing(), ['sec_3', 'sec_2'])
  e.advance(60_000)
  assert.deepEqual(e.signing(), ['sec_3'])
  e.advance(HOUR_MS)
  assert.deepEqual(e.signing(), ['sec_3'], 'the staged one does not come up again')
})

test('any sequence of acts leaves one to three secrets signing and never revives one', () => {
  const act = fc.oneof(
    fc.record({
      kind: fc.constant('advance' as const),
      // The clock of the machine is set back.
      ms: fc.integer({ min: -4 * HOUR_MS, max: -1 }),
    }),
    fc.record({
      kind: fc.constant('advance' as const),
      ms: fc.integer({ min: 0, max: 4 * HOUR_MS }),
    }),
    fc.record({
      kind: fc.constant('rotate' as const),
      force: fc.boolean(),
      seconds: fc.option(fc.constantFrom(0, 1, 60, 3600, 86_400), { nil: undefined }),
      aheadMs: fc.option(fc.integer({ min: 1, max: 6 * HOUR_MS }), { nil: undefined }),
    }),
    fc.record({
      kind: fc.constant('verb' as const),
      verb: fc.constantFrom('cancel' as const, 'complete' as const, 'revoke' as const),
    }),
    fc.record({
      kind: fc.constant('window' as const),
      seconds: fc.integer({ min: 0, max: 90_000 }),
    }),
  )
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const e = endpoint()
      const gone = new Set<string>()
      for (const step of acts) {
        try {
          if (step.kind === 'advance') {
            e.advance(step.ms)
          } else if (step.kind === 'verb' && step.verb === 'cancel') e.cancel()
          else if (step.kind === 'verb' && step.verb === 'complete') e.complete()
          else if (step.kind === 'verb') e.revokePrevious()
          else if (step.kind === 'window') e.window(step.seconds)
          else {
            const { rotation } = e.rotate({
              force: step.force,
              expireCurrentInSeconds: step.seconds,
              activateAt: step.aheadMs === undefined ? undefined : e.now + step.aheadMs,
            })
            if (step.aheadMs === undefined) {
              assert.equal(e.signing()[0], rotation.newSecretId, 'an answered secret signs, first')
            }
          }
        } catch (error) {
          // A verb without a rotation, or a refusal: the state must be as it was, which follows.
          if (!(error instanceof AppError) && e.latest() !== null) throw error
        }
        e.latch()
        checkInvariants(e, gone)
      }
    }),
    { numRuns: 2000 },
  )
})

test('a rotation staged while the clock is set back takes over all the same', () => {
  const e = endpoint()
  e.advance(-2)
  e.rotate({ expireCurrentInSeconds: 3600, activateAt: e.now + 1 })
  e.advance(1)
  assert.throws(() => e.complete(), /rotation_not_active|active at/)
  e.advance(HOUR_MS * 2)
  const [latest] = [...e.rotations.values()].slice(-1)
  assert.deepEqual(e.signing(), [latest?.newSecretId])
})

function checkInvariants(e: EndpointModel, gone: Set<string>): void {
  const signing = e.signing()
  assert.ok(signing.length >= 1, 'something always signs')
  assert.ok(signing.length <= limits.secretsActiveMax)
  for (const id of signing) assert.ok(!gone.has(id), `${id} came back`)
  for (const { id } of e.secrets) {
    if (['expired', 'revoked'].includes(e.status(id))) gone.add(id)
  }
  const live = e.secrets.filter(({ id }) =>
    ['current', 'retiring', 'staged'].includes(e.status(id)),
  )
  assert.ok(live.length <= limits.secretsActiveMax, 'at most three are live')
  assert.equal(e.secrets.filter(({ id }) => e.status(id) === 'current').length, 1)
  const open = [...e.rotations.values()].filter((rotation) => isRotationOpen(rotation, e.now))
  assert.ok(open.length <= 1, 'at most one rotation is open')
}
