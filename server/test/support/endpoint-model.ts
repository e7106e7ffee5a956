import assert from 'node:assert/strict'
import { explainingProbes, type Probe, provingProbes, startDrill } from '../../src/core/drill.ts'
import { limits } from '../../src/core/limits.ts'
import type { Rotation } from '../../src/core/rotation.ts'
import { planCancel, planComplete, planRevokePrevious } from '../../src/core/rotation-end-plan.ts'
import { judge } from '../../src/core/rotation-judgement.ts'
import {
  planRotate,
  type RotateRequest,
  type RotationPlan,
  type RotationSituation,
} from '../../src/core/rotation-plan.ts'
import { nextLookAt } from '../../src/core/rotation-watch.ts'
import { planWindow } from '../../src/core/rotation-window-plan.ts'
import {
  isSecretExpired,
  type SecretTimes,
  secretStatus,
  signingSet,
} from '../../src/core/secret.ts'

/** Where the model's clock begins. */
export const modelStart = Date.UTC(2026, 0, 1)

const actor = { type: 'root', id: null, name: null } as const
const end = { actor, reason: null }

export type EndpointModel = ReturnType<typeof endpointModel>

/** One endpoint in memory, changed by plans alone. */
export function endpointModel(
  options: {
    signaturesMax?: number
    min?: number
    max?: number
    capMs?: number
    cacheTtlMs?: number
    autoProbe?: boolean
  } = {},
) {
  let now = modelStart
  let lastRejectionAt: number | null = null
  let count = 1
  const secrets: SecretTimes[] = [
    {
      id: 'sec_1',
      createdAt: modelStart,
      activatesAt: modelStart,
      expiresAt: null,
      revokedAt: null,
      expirySeenAt: null,
    },
  ]
  const rotations = new Map<string, Rotation>()
  let latestId: string | null = null

  const situation = (): RotationSituation => ({
    now,
    answeredAt: now + (options.cacheTtlMs ?? 0),
    secrets,
    latest: latestId === null ? null : (rotations.get(latestId) ?? null),
    signaturesMax: options.signaturesMax ?? 3,
    capMs: options.capMs ?? 30 * 86_400_000,
    canProbe: true,
    autoProbe: options.autoProbe ?? false,
    lastRejectionAt,
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
        for (const rotation of rotations.values()) {
          if (rotation.previousSecretId !== secret.id) continue
          rotation.previousSecretExpirySeenAt = secret.expirySeenAt
        }
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
        createdAt: plan.rotation.createdAt,
        activatesAt: plan.rotation.activatesAt,
        expiresAt: null,
        revokedAt: null,
        expirySeenAt: null,
      })
      return plan
    },
    nextLookAt: () => nextLookAt(latest(situation()), situation()),
    /** A drill against a receiver that answers by the keys that a probe was signed with. */
    look(answer: ModelReceiver | null, isLook = true) {
      const rotation = latest(situation())
      const isBrief = rotation.watch.spike === null && isLook
      const drill = answer === null ? null : modelDrill(answer, { isBrief, at: now })
      const judgement = judge(situation(), rotation, { drill, isLook })
      apply(judgement.plan)
      return judgement
    },
    /** Deliveries are refused, in a row and just now. */
    reject(answers = 3) {
      lastRejectionAt = now
      const rotation = latest(situation())
      const watch = { ...rotation.watch, spike: { at: now, answers } }
      rotations.set(rotation.id, { ...rotation, watch })
    },
    revokePrevious() {
      const plan = planRevokePrevious(situation(), end)
      apply(plan)
      return plan
    },
    complete(force = false) {
      const plan = planComplete(situation(), latest(situation()), { ...end, force })
      if (plan !== null) apply(plan)
      return plan
    },
    cancel(force = false) {
      const plan = planCancel(situation(), latest(situation()), { ...end, force })
      if (plan !== null) apply(plan)
      return plan
    },
    window(seconds: number) {
      const rotation = latest(situation())
      const plan = planWindow(situation(), rotation, { actor, expireCurrentInSeconds: seconds })
      assert.ok(plan)
      apply(plan)
      return plan
    },
  }
}

function latest(situation: RotationSituation): Rotation {
  assert.ok(situation.latest)
  return situation.latest
}

/** What a receiver answers to a request signed with these keys, in order. */
export type ModelReceiver = (keys: readonly ('new' | 'old' | 'wrong')[]) => number

function modelDrill(answer: ModelReceiver, options: { isBrief: boolean; at: number }) {
  const drill = startDrill()
  const send = (probe: Probe) => {
    const statusCode = answer(probe.keys)
    drill.add(probe, { at: options.at, statusCode, error: null, durationMs: 1 })
  }
  for (const probe of provingProbes) if (drill.canStillProve()) send(probe)
  if (!options.isBrief) explainingProbes({ hasOld: true, signaturesMax: 3 }).forEach(send)
  return drill.report(options.at, 'watch')
}
