import { requireScope } from '../core/authorization.ts'
import type { Endpoint } from '../core/endpoint.ts'
import { AppError, invalidFields } from '../core/errors.ts'
import { type CompleteWhen, isRotationOpen, type Rotation } from '../core/rotation.ts'
import { planRotate, type RotationPlan, type RotationSituation } from '../core/rotation-plan.ts'
import { windowProblems } from '../core/rotation-window.ts'
import type { SecretAlgorithm } from '../core/secret.ts'
import { activationProblems, algorithmInForce, chooseActivation } from '../core/secret-algorithm.ts'
import { formatOf } from '../formats/registry.ts'
import { algorithmProblem, readSecretText } from '../formats/secret-text.ts'
import type { Transaction } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'
import { applyRotationPlan, iso, readSituation } from './apply-rotation-plan.ts'
import { emitOperationalEvent } from './emit-operational-event.ts'
import { loadEndpoint } from './load.ts'
import { mintSecret } from './mint-secret.ts'
import { recordAudit } from './record-audit.ts'
import { issueClaimLink } from './reissue-claim-link.ts'

export interface RotateSecretInput {
  expireCurrentInSeconds?: number | undefined
  secret?: string | undefined
  algorithm?: SecretAlgorithm | undefined
  activateAt?: number | undefined
  completeWhen?: CompleteWhen | undefined
  deliver?: 'claim_link' | undefined
  force?: boolean | undefined
  reason?: string | null | undefined
  expectedCurrentSecretId?: string | undefined
  /** Rounds the expiry up to a whole second, for surfaces that show no less. */
  isExpiryInWholeSeconds?: boolean | undefined
  /** The campaign that rotates it. */
  campaignId?: string | undefined
}

export interface RotatedSecret {
  endpoint: Endpoint
  rotation: Rotation
  secretId: string
  secretValue: string
  algorithm: SecretAlgorithm
  /** Where the secret goes by claim link, in place of `secretValue` for the caller. */
  claimUrl: string | null
  previousSecretExpiresAt: number | null
}

/** `POST …/secret/rotate`: rotation.md section 3. The value is returned once. */
export async function rotateSecret(
  context: ActionContext,
  projectId: string,
  ref: string,
  input: RotateSecretInput,
): Promise<RotatedSecret> {
  requireScope(context.principal, projectId, 'secrets.rotate')
  const seen = {
    arrival: context.arrival ?? context.rotationOrder.moment(),
    latestId: await latestRotationId(context, projectId, ref),
  }

  const rotationId = context.newId('rot')
  const rotate = async (tx: Transaction) => {
    const endpoint = await loadEndpoint(tx, projectId, ref)
    const { secrets, situation } = await readSituation(tx, context, endpoint)
    // What is not asked for stays: an algorithm is never changed by accident.
    const algorithm = input.algorithm ?? algorithmInForce(secrets, situation.now)
    refuseBadValues(input, situation, endpoint, algorithm)
    const newSecretId = context.newId('sec')
    const plan = planRotate(situation, {
      rotationId,
      newSecretId,
      projectId,
      endpointId: endpoint.id,
      actor: context.principal.actor,
      expireCurrentInSeconds: input.expireCurrentInSeconds,
      activateAt: chooseActivation({ ...input, now: situation.now, algorithm }),
      completeWhen: input.completeWhen,
      isClaimed: input.deliver === 'claim_link',
      force: input.force ?? false,
      reason: input.reason ?? null,
      expectedCurrentSecretId: input.expectedCurrentSecretId,
      isExpiryInWholeSeconds: input.isExpiryInWholeSeconds ?? false,
      campaignId: input.campaignId,
    })
    refuseOvertaken(context, seen, situation.latest)
    const { secret, secretValue } = mintSecret(context, {
      endpoint,
      id: newSecretId,
      format: formatOf(endpoint.format),
      algorithm,
      value: input.secret,
      createdAt: plan.rotation.createdAt,
      activatesAt: plan.rotation.activatesAt,
      earlier: secrets,
    })
    await tx.insertSecret(secret)
    await applyRotationPlan(tx, situation, plan, { isNew: true })
    const claimUrl =
      input.deliver === 'claim_link' ? await issueClaimLink(tx, context, plan.rotation) : null
    await tellRotated(tx, context, plan, algorithm)
    return {
      endpoint,
      rotation: plan.rotation,
      secretId: newSecretId,
      secretValue,
      algorithm,
      claimUrl,
      previousSecretExpiresAt: plan.rotation.previousSecretExpiresAt,
    }
  }
  const hasCaller = context.arrival !== undefined
  return context.rotationOrder.during(rotationId, hasCaller, () => context.transact(rotate))
}

/** Every value at fault at once, also while a rotation is open. */
function refuseBadValues(
  input: RotateSecretInput,
  situation: RotationSituation,
  { format: formatName }: Endpoint,
  algorithm: SecretAlgorithm,
): void {
  const format = formatOf(formatName)
  const isClaimed = input.deliver === 'claim_link'
  const problems = [
    ...windowProblems(situation, { ...input, isClaimed }),
    ...activationProblems({ ...input, now: situation.now, algorithm }),
  ]
  if (isClaimed && algorithm === 'ed25519') {
    const detail =
      'With Ed25519 there is no secret to hand over: receivers read the public key from keys.json.'
    problems.push({ param: 'deliver', detail, code: 'invalid_value' })
  }
  if (!format.algorithms.includes(algorithm)) {
    const detail = algorithmProblem(format)
    problems.push({ param: 'algorithm', detail, code: 'algorithm_not_in_format' })
  } else if (input.secret !== undefined) {
    const read = readSecretText(format, algorithm, input.secret)
    if ('problem' in read) {
      problems.push({ param: 'secret', detail: read.problem, code: 'invalid_value' })
    }
  }
  if (problems.length > 0) throw invalidFields(problems)
}

/** The newest rotation that this call can know of, so that it does not build upon another. */
async function latestRotationId(
  context: ActionContext,
  projectId: string,
  ref: string,
): Promise<string | null> {
  const endpoint = await loadEndpoint(context.storage, projectId, ref)
  return (await context.storage.latestRotation(endpoint.id))?.id ?? null
}

/**
 * Of several calls under way at once exactly one may win, even where each is a cut or forced and
 * the state alone would allow them one after the other. What the store showed tells the rotations
 * of all nodes; but it was read only when the caller was known and the store had time, so the
 * order in which this process answered tells of those that were ready in between.
 */
function refuseOvertaken(
  { rotationOrder }: ActionContext,
  seen: { arrival: number; latestId: string | null },
  latest: Rotation | null,
): void {
  if (latest === null) return
  if (latest.id === seen.latestId && !rotationOrder.wasUnderWay(latest.id, seen.arrival)) return
  throw new AppError('secret_changed', {
    detail: `Rotation ${latest.id} came first while this call was under way.`,
    extra: { rotation_id: latest.id },
  })
}

async function tellRotated(
  tx: Transaction,
  context: ActionContext,
  plan: RotationPlan,
  algorithm: SecretAlgorithm,
): Promise<void> {
  const { rotation, revokedSecretIds, closes } = plan
  const facts = {
    endpoint_id: rotation.endpointId,
    rotation_id: rotation.id,
    previous_secret_id: rotation.previousSecretId,
    new_secret_id: rotation.newSecretId,
  }
  await recordAudit(tx, context, {
    projectId: rotation.projectId,
    action: 'endpoint.secret.rotated',
    target: { type: 'endpoint', id: rotation.endpointId },
    reason: rotation.reason,
    details: {
      ...facts,
      algorithm,
      activates_at: iso(rotation.activatesAt),
      previous_secret_expires_at: iso(rotation.previousSecretExpiresAt),
      revoked_secret_ids: revokedSecretIds,
      forced_rotation_id: closes?.rotation.id ?? null,
    },
  })
  const tell = (type: Parameters<typeof emitOperationalEvent>[3], data: Record<string, unknown>) =>
    emitOperationalEvent(tx, context, rotation.projectId, type, data)

  await tell('endpoint.secret.rotated', {
    ...facts,
    activates_at: iso(rotation.activatesAt),
    previous_secret_expires_at: iso(rotation.previousSecretExpiresAt),
  })
  if (revokedSecretIds.length > 0) {
    await tell('endpoint.secret.revoked', {
      endpoint_id: rotation.endpointId,
      secret_ids: revokedSecretIds,
    })
  }
  if (closes !== null) {
    await tell('endpoint.rotation.completed', {
      endpoint_id: rotation.endpointId,
      rotation_id: closes.rotation.id,
      completed_by: 'force',
    })
  }
  if (!isRotationOpen(rotation, context.clock.now())) {
    await tell('endpoint.rotation.completed', {
      endpoint_id: rotation.endpointId,
      rotation_id: rotation.id,
      completed_by: 'cut',
    })
  }
}
