import { SPIKE_REJECTIONS } from './health.ts'
import { type Attention, isRotationOpen, type Rotation, rotationState } from './rotation.ts'
import { planVerified } from './rotation-end-plan.ts'
import { type DrillReport, isProven, withDrill } from './rotation-evidence.ts'
import type { RotationPlan, RotationSituation } from './rotation-plan.ts'
import { canBeHeld, isHoldOver, isInLastHour } from './rotation-watch.ts'
import { planHold, planReleaseHold } from './rotation-window-plan.ts'

/** What the server does to a rotation by itself. */
export type RotationAct = 'completed' | 'held' | 'released' | 'attention'

/** What a look at a rotation led to; the action writes and tells it. */
export interface Judgement {
  plan: RotationPlan
  act: RotationAct | null
  /** Why, with the figures; for the audit log and the timeline. */
  reason: string | null
}

/**
 * What follows from what is known now (rotation.md section 5): proof completes the rotation, a
 * receiver that does not take the new secret has it held, one that does ends the hold.
 *
 * `drill` null: nothing was sent. `isLook`: the watch looked, so its next look comes later.
 */
export function judge(
  situation: RotationSituation,
  before: Rotation,
  { drill, isLook }: { drill: DrillReport | null; isLook: boolean },
): Judgement {
  const { now } = situation
  const evidence = drill === null ? before.evidence : withDrill(before.evidence, drill)
  const rotation: Rotation = { ...before, evidence, watch: nextWatch(before, now, isLook) }
  if (!isRotationOpen(rotation, now)) return unchanged(rotation)
  const isActive = rotationState(rotation, now).status !== 'staged'
  if (isActive && rotation.completeWhen === 'verified' && isProven(evidence)) {
    const reason = 'A drill showed that the receiver takes the new secret.'
    return { plan: planVerified(situation, rotation), act: 'completed', reason }
  }
  const holdReason = canBeHeld(rotation, now) ? holdReasonOf(before, drill, now) : null
  if (holdReason !== null) {
    return { plan: planHold(situation, rotation, holdReason), act: 'held', reason: holdReason }
  }
  if (isHoldOver(rotation, situation)) {
    const reason = 'The receiver takes the new secret, and no delivery was refused for 15 minutes.'
    return { plan: planReleaseHold(situation, rotation), act: 'released', reason }
  }
  const attention = attentionOf(rotation, drill, now)
  if (attention === rotation.attention) return unchanged(rotation)
  return noted(rotation, attention, now)
}

/** A run of refused signatures, as the timeline and the audit log tell it. */
export function spikeText(answers: number, since: number): string {
  return `${answers} deliveries in a row were answered with 401 or 403 since ${new Date(since).toISOString()}`
}

function nextWatch({ watch }: Rotation, now: number, isLook: boolean): Rotation['watch'] {
  if (!isLook) return watch
  // After a spike the looks begin anew: what it means should be known soon.
  const looks = watch.spike === null ? watch.looks + 1 : 0
  return { nextAt: null, lookedAt: now, looks, spike: null }
}

/** Why the expiry has to be put off; null where it need not be. */
function holdReasonOf(rotation: Rotation, drill: DrillReport | null, now: number): string | null {
  const { spike } = rotation.watch
  const newOnly = drill?.probes.new_only
  if (spike !== null) {
    const refused = spikeText(Math.max(spike.answers, SPIKE_REJECTIONS), spike.at)
    if (drill === null) return `${refused}; no probe was sent to explain it.`
    if (newOnly?.verdict === 'pass') return null
    return `${refused}; the new secret alone was answered with ${answersOf(drill)}.`
  }
  const isLate =
    isInLastHour(rotation, now) ||
    (rotation.completeWhen === 'verified' && (rotation.windowEndsAt ?? now + 1) <= now)
  if (drill === null || newOnly?.verdict !== 'fail' || !isLate) return null
  return `The window is at its end, and the new secret alone was answered with ${answersOf(drill)}.`
}

function answersOf(drill: DrillReport): string {
  const answers = drill.probes.new_only?.answers ?? []
  const texts = answers.map(({ statusCode, error }) => String(statusCode ?? error ?? 'nothing'))
  return texts.length === 0 ? 'nothing' : texts.join(', ')
}

function attentionOf(rotation: Rotation, drill: DrillReport | null, now: number): Attention | null {
  const { attention, completeWhen, evidence, windowEndsAt } = rotation
  const { new_only, old_only, two_signatures } = drill?.probes ?? {}
  const takesEach = new_only?.verdict === 'pass' && old_only?.verdict === 'pass'
  if (takesEach && two_signatures?.verdict === 'fail') return 'cannot_parse_two'
  const isCured = attention === 'cannot_parse_two' && two_signatures?.verdict === 'pass'
  const left = isCured ? null : attention
  const isOverdue = completeWhen === 'verified' && windowEndsAt !== null && windowEndsAt <= now
  return left === null && isOverdue && !isProven(evidence) ? 'not_verified' : left
}

const attentionTexts: Record<Attention, string> = {
  cannot_parse_two:
    'The receiver takes each secret alone, but not two signatures in one request. Cancel the rotation, or cut the previous secret.',
  not_verified: 'The window has passed without proof that the receiver takes the new secret.',
  claim_disputed: 'Whoever was to claim the secret says that somebody else did.',
}

function noted(rotation: Rotation, attention: Attention | null, now: number): Judgement {
  const changed = { ...rotation, attention }
  if (attention === null) return unchanged(changed)
  const reason = attentionTexts[attention]
  const note = { at: now, what: 'attention', actor: null, detail: reason }
  const plan = planOf({ ...changed, notes: [...rotation.notes, note] })
  return { plan, act: 'attention', reason }
}

function unchanged(rotation: Rotation): Judgement {
  return { plan: planOf(rotation), act: null, reason: null }
}

function planOf(rotation: Rotation): RotationPlan {
  return { rotation, secretChanges: [], closes: null, revokedSecretIds: [] }
}
