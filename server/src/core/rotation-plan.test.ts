import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { AppError } from './errors.ts'
import { limits } from './limits.ts'
import { isRotationOpen, type Rotation, rotationState, rotationTimeline } from './rotation.ts'
import {
  planCancel,
  planComplete,
  planRevokePrevious,
  planRotate,
  planWindow,
  type RotateRequest,
  type RotationPlan,
  type RotationSituation,
} from './rotation-plan.ts'
import { isSecretExpired, type SecretTimes, secretStatus, signingSet } from './secret.ts'

const actor = { type: 'root', id: null, name: null } as const
const HOUR_MS = 3_600_000
const T0 = Date.UTC(2026, 0, 1)

/** One endpoint in memory, changed by plans alone. */
function endpoint(options: { signaturesMax?: number; min?: number; max?: number } = {}) {
  let now = T0
  let count = 1
  const secrets: SecretTimes[] = [
    { id: 'sec_1', activatesAt: T0, expiresAt: null, revokedAt: null, expirySeenAt: null },
  ]
  const rotations = new Map<string, Rotation>()
  let latestId: string | null = null

  const situation = (): RotationSituation => ({
    now,
    secrets,
    latest: latestId === null ? null : (rotations.get(latestId) ?? null),
    signaturesMax: options.signaturesMax ?? 3,
    bounds: {
      expireCurrentInMinSeconds: options.min ?? 0,
      expireCurrentInMaxSeconds: options.max ?? limits.expireCurrentInMaxSeconds,
    },
  })
  const apply = (plan: {
    secretChanges: RotationPlan['secretChanges']
    rotation: Rotation | null
    closes?: RotationPlan['closes']
  }) => {
    for (const { id, ...times } of plan.secretChanges) {
      const secret = secrets.find((candidate) => candidate.id === id)
      assert.ok(secret, `a plan changes only known secrets, not ${id}`)
      Object.assign(secret, times)
    }
    if (plan.rotation) rotations.set(plan.rotation.id, plan.rotation)
    if (plan.closes) {
      const { rotation, outcome } = plan.closes
      rotations.set(rotation.id, { ...rotation, outcome })
    }
  }
  return {
    secrets,
    rotations,
    get now() {
      return now
    },
    advance(ms: number) {
      now += ms
    },
    /** Latches what is expired, as the sender and the announcer do. */
    latch() {
      for (const secret of secrets) {
        if (isSecretExpired(secret, now)) secret.expirySeenAt ??= now
      }
    },
    latest: () => situation().latest,
    signing: () => signingSet(secrets, now, limits.secretsActiveMax).map(({ id }) => id),
    status: (id: string) =>
      secretStatus(secrets.find((secret) => secret.id === id) ?? assert.fail(), secrets, now),
    rotate(request: Partial<RotateRequest> = {}) {
      const newSecretId = `sec_${count + 1}`
      const plan = planRotate(situation(), {
        rotationId: `rot_${count + 1}`,
        newSecretId,
        projectId: 'prj',
        endpointId: 'ep',
        actor,
        force: false,
        reason: null,
        ...request,
      })
      count++
      apply(plan)
      latestId = plan.rotation.id
      secrets.push({
        id: newSecretId,
        activatesAt: plan.rotation.activatesAt,
        expiresAt: null,
        revokedAt: null,
        expirySeenAt: null,
      })
      return plan
    },
    revokePrevious() {
      const plan = planRevokePrevious(situation(), actor, null)
      apply(plan)
      return plan
    },
    complete() {
      const plan = planComplete(situation(), latest(situation()), actor, null)
      if (plan !== null) apply(plan)
      return plan
    },
    cancel() {
      const plan = planCancel(situation(), latest(situation()), actor, null)
      if (plan !== null) apply(plan)
      return plan
    },
    window(seconds: number) {
      const rotation = latest(situation())
      const plan = planWindow(situation(), rotation, actor, { expireCurrentInSeconds: seconds })
      apply(plan)
      return plan
    },
  }
}

function latest(situation: RotationSituation): Rotation {
  assert.ok(situation.latest)
  return situation.latest
}

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

test('a clock set back does not revive a secret that was seen expired', () => {
  const e = endpoint()
  const { rotation } = e.rotate({ expireCurrentInSeconds: 60 })
  e.advance(60_000)
  e.latch()
  e.advance(-3_000_000)
  assert.ok(!e.signing().includes('sec_1'))
  assert.equal(e.status('sec_1'), 'expired')
  const seen = { ...rotation, previousSecretExpirySeenAt: T0 + 60_000 }
  assert.equal(rotationState(seen, e.now).status, 'completed')
})

test('any sequence of acts leaves one to three secrets signing and never revives one', () => {
  const act = fc.oneof(
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
          if (step.kind === 'advance') e.advance(step.ms)
          else if (step.kind === 'verb' && step.verb === 'cancel') e.cancel()
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
        checkInvariants(e, gone)
      }
    }),
    { numRuns: 2000 },
  )
})

function checkInvariants(e: ReturnType<typeof endpoint>, gone: Set<string>): void {
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
