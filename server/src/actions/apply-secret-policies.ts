import { AppError } from '../core/errors.ts'
import type { FleetEntry } from '../core/fleet.ts'
import { isRotationOpen } from '../core/rotation.ts'
import {
  effectivePolicy,
  obstacleSentences,
  policyObstacle,
  type SecretPolicy,
} from '../core/secret-policy.ts'
import { formatOf } from '../formats/registry.ts'
import type { Transaction } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'
import { iso, readSituation } from './apply-rotation-plan.ts'
import { emitOperationalEvent } from './emit-operational-event.ts'
import { loadEndpoint } from './load.ts'
import { rotateSecret } from './rotate-secret.ts'

const entriesAtOnceMax = 50
/** A rotation that was refused is tried again after so long. */
const tryAgainMs = 86_400_000

/**
 * Does what the policy says of secrets that are over their age, a page at each call; false where a
 * round is over. Everything is tried once a round at most, and nothing depends on its being done in
 * time: the fleet and the metric tell of old secrets by themselves.
 */
export function createPolicyRound(context: () => ActionContext): () => Promise<boolean> {
  let after: string | null = null
  return async () => {
    const { page, next } = await applySecretPolicies(context(), after)
    after = next
    return page > 0 && next !== null
  }
}

/** One page of the old secrets, the oldest first. */
export async function applySecretPolicies(
  context: ActionContext,
  after: string | null,
): Promise<{ page: number; next: string | null }> {
  const now = context.clock.now()
  const instance = context.settings.secretPolicy
  const page = await context.storage.listFleet(
    { now, defaultMaxAgeDays: instance.maxAgeDays, isOverAge: true },
    { limit: entriesAtOnceMax, after },
  )
  for (const entry of page.items) {
    await applyPolicy(context, entry, effectivePolicy(instance, entry.policyOverride))
  }
  return { page: page.items.length, next: page.nextKey }
}

async function applyPolicy(
  context: ActionContext,
  entry: FleetEntry,
  policy: SecretPolicy,
): Promise<void> {
  const now = context.clock.now()
  const { overAgeToldAt: toldAt } = entry
  if (policy.action === 'notify') {
    if (toldAt === null) await tell(context, entry, policy, null)
    return
  }
  if (toldAt !== null && toldAt > now - tryAgainMs) return
  // Somebody is at it; where that comes to nothing, the secret is as old as before.
  if (entry.rotation !== null && isRotationOpen(entry.rotation, now)) return
  const refusal = await rotate(context, entry, policy)
  if (refusal !== null) await tell(context, entry, policy, refusal)
}

/** Null where it was rotated, else a sentence that says why not. */
async function rotate(
  context: ActionContext,
  { projectId, endpointId, secretId, algorithm, format }: FleetEntry,
  policy: SecretPolicy,
): Promise<string | null> {
  const { signaturesMax, probeType } = formatOf(format)
  const obstacle = policyObstacle({
    algorithm,
    signaturesMax,
    hasProbe: probeType !== null,
    completeWhen: policy.completeWhen,
    hasPublicUrl: context.settings.publicUrl !== null,
  })
  if (obstacle !== null) return obstacleSentences[obstacle]
  try {
    await rotateSecret(context, projectId, endpointId, {
      deliver: algorithm === 'ed25519' ? undefined : 'claim_link',
      expireCurrentInSeconds: await windowOf(context, projectId, endpointId, policy),
      completeWhen: policy.completeWhen,
      reason: `The secret is older than ${policy.maxAgeDays} days.`,
      expectedCurrentSecretId: secretId,
    })
    return null
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error
    return error.details.detail
  }
}

/** The policy's overlap within the bounds of the project; none where there is room for one signature. */
async function windowOf(
  context: ActionContext,
  projectId: string,
  endpointId: string,
  { expireCurrentInSeconds }: SecretPolicy,
): Promise<number | undefined> {
  const { storage } = context
  const endpoint = await loadEndpoint(storage, projectId, endpointId)
  const { situation } = await readSituation(storage, context, endpoint)
  if (situation.signaturesMax === 1) return undefined
  const { expireCurrentInMinSeconds: min, expireCurrentInMaxSeconds: max } = situation.bounds
  return Math.min(Math.max(expireCurrentInSeconds, min), max)
}

/** The event comes once for each secret; where it could not be rotated, with the reason. */
async function tell(
  context: ActionContext,
  entry: FleetEntry,
  policy: SecretPolicy,
  refusal: string | null,
): Promise<void> {
  await context.storage.transact(async (tx) => {
    if (entry.overAgeToldAt === null) await emitOverAge(tx, context, entry, policy, refusal)
    await tx.noteOverAge(entry.secretId, context.clock.now())
  })
}

function emitOverAge(
  tx: Transaction,
  context: ActionContext,
  entry: FleetEntry,
  { maxAgeDays, action }: SecretPolicy,
  refusal: string | null,
): Promise<void> {
  return emitOperationalEvent(tx, context, entry.projectId, 'endpoint.secret.over_age', {
    endpoint_id: entry.endpointId,
    secret_id: entry.secretId,
    secret_created_at: iso(entry.secretCreatedAt),
    max_age_days: maxAgeDays,
    action,
    refusal,
  })
}
