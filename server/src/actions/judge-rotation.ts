import type { Endpoint } from '../core/endpoint.ts'
import type { Rotation } from '../core/rotation.ts'
import type { DrillReport } from '../core/rotation-evidence.ts'
import { type Judgement, judge } from '../core/rotation-judgement.ts'
import type { Transaction } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'
import { applyRotationPlan, iso, readSituation } from './apply-rotation-plan.ts'
import { emitOperationalEvent } from './emit-operational-event.ts'
import { endRotation } from './end-rotation.ts'
import { recordAudit } from './record-audit.ts'

/**
 * Keeps a drill as evidence and does what follows from all that is known of the rotation now, with
 * its audit row and operational events. The rotation is as it is in this transaction.
 */
export async function judgeRotation(
  tx: Transaction,
  context: ActionContext,
  subject: { endpoint: Endpoint; rotation: Rotation },
  found: { drill: DrillReport | null; isLook: boolean },
): Promise<Rotation> {
  const { endpoint, rotation } = subject
  const { situation } = await readSituation(tx, context, endpoint)
  if (found.drill !== null) await noteVerifying(tx, context, endpoint, found.drill)
  const judgement = judge(situation, rotation, found)
  if (judgement.act === 'completed') {
    await endRotation(tx, context, {
      situation,
      plan: judgement.plan,
      reason: judgement.reason,
      figures: figuresOf(found.drill),
    })
  } else {
    await applyRotationPlan(tx, situation, judgement.plan, { isNew: false })
    await tellAct(tx, context, judgement, found.drill)
  }
  return judgement.plan.rotation
}

async function tellAct(
  tx: Transaction,
  context: ActionContext,
  { act, plan, reason }: Judgement,
  drill: DrillReport | null,
): Promise<void> {
  // The end of a rotation is told where it is written.
  if (act === null || act === 'completed') return
  const { rotation } = plan
  const facts = {
    endpoint_id: rotation.endpointId,
    previous_secret_expires_at: iso(rotation.previousSecretExpiresAt),
    attention: rotation.attention,
  }
  await recordAudit(tx, context, {
    projectId: rotation.projectId,
    action: `endpoint.rotation.${act}`,
    target: { type: 'rotation', id: rotation.id },
    reason,
    details: { ...facts, ...figuresOf(drill) },
  })
  const data = { ...facts, rotation_id: rotation.id, reason }
  const type = `endpoint.rotation.${act}` as const
  await emitOperationalEvent(tx, context, rotation.projectId, type, data)
}

/**
 * Flags a receiver that takes wrong signatures, loudly and once; one that was seen to refuse them
 * loses the flag.
 */
export async function noteVerifying(
  tx: Transaction,
  context: ActionContext,
  endpoint: Endpoint,
  drill: DrillReport,
): Promise<void> {
  const isUnverifying = drill.verdict === 'unverifying'
  const isCleared = drill.probes.bad_signature?.verdict === 'pass'
  const isKnown = endpoint.unverifyingSince !== null
  if (isUnverifying === isKnown || (!isUnverifying && !isCleared)) return
  await tx.markUnverifying(endpoint.id, isUnverifying ? drill.at : null)
  await recordAudit(tx, context, {
    projectId: endpoint.projectId,
    action: isUnverifying ? 'endpoint.unverifying' : 'endpoint.verifying',
    target: { type: 'endpoint', id: endpoint.id },
    reason: isUnverifying
      ? 'The receiver took a delivery with a wrong signature, twice.'
      : 'The receiver refused a delivery with a wrong signature.',
    details: figuresOf(drill),
  })
  if (!isUnverifying) return
  await emitOperationalEvent(tx, context, endpoint.projectId, 'endpoint.unverifying', {
    endpoint_id: endpoint.id,
    probe: 'bad_signature',
    status_codes: statusCodesOf(drill, 'bad_signature'),
  })
}

/** What a drill saw, short enough for the audit log. */
function figuresOf(drill: DrillReport | null): Record<string, unknown> {
  if (drill === null) return {}
  const probes = Object.entries(drill.probes).map(([name, { verdict, answers }]) => [
    name,
    { verdict, status_codes: answers.map(({ statusCode }) => statusCode) },
  ])
  return { drill: { verdict: drill.verdict, probes: Object.fromEntries(probes) } }
}

function statusCodesOf(drill: DrillReport, name: keyof DrillReport['probes']) {
  return drill.probes[name]?.answers.map(({ statusCode }) => statusCode) ?? []
}
