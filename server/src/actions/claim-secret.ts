import { type ClaimLink, hashClaimToken } from '../core/claim-link.ts'
import type { Endpoint } from '../core/endpoint.ts'
import { AppError } from '../core/errors.ts'
import type { Rotation } from '../core/rotation.ts'
import { refuseClosed } from '../core/rotation-refusals.ts'
import { planClaimed } from '../core/rotation-window-plan.ts'
import { secretContext } from '../core/secret-box.ts'
import type { Transaction } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'
import { applyRotationPlan, iso, readSituation } from './apply-rotation-plan.ts'
import { emitOperationalEvent } from './emit-operational-event.ts'
import { recordAudit } from './record-audit.ts'

/** What the receiving engineer is given, once. */
export interface ClaimedSecret {
  endpoint: Endpoint
  rotation: Rotation
  secretId: string
  secretValue: string
}

/**
 * Uses a claim link: gives out the secret, once, and lets the overlap begin. The token alone is the
 * credential. Of several calls at once exactly one is answered with the secret.
 */
export async function claimSecret(caller: ActionContext, token: string): Promise<ClaimedSecret> {
  const context = byLink(caller)
  return context.storage.transact(async (tx) => {
    const { link, endpoint, rotation } = await loadClaim(tx, token)
    if (link.claimedAt !== null) throw claimUsed(link)
    const { secrets, situation } = await readSituation(tx, context, endpoint)
    refuseClosed(rotation, situation.now)
    const secret = secrets.find(({ id }) => id === rotation.newSecretId)
    if (secret === undefined || secret.sealedValue === null) throw noSuchLink()
    const secretValue = context.secretBox.open(
      secret.sealedValue,
      secretContext(endpoint.id, secret.id),
    )
    const plan = planClaimed(situation, rotation)
    await applyRotationPlan(tx, situation, plan, { isNew: false })
    await tx.putClaimLink({ ...link, claimedAt: situation.now })
    await recordAudit(tx, context, {
      projectId: link.projectId,
      action: 'endpoint.secret.claimed',
      target: { type: 'rotation', id: rotation.id },
      details: {
        endpoint_id: endpoint.id,
        secret_id: secret.id,
        previous_secret_expires_at: iso(plan.rotation.previousSecretExpiresAt),
      },
    })
    return { endpoint, rotation: plan.rotation, secretId: secret.id, secretValue }
  })
}

/**
 * "This was not me": whoever holds a used link says that somebody else used it. Flags the rotation;
 * saying it again changes nothing.
 */
export async function disputeClaim(caller: ActionContext, token: string): Promise<ClaimLink> {
  const context = byLink(caller)
  return context.storage.transact(async (tx) => {
    const { link, endpoint, rotation } = await loadClaim(tx, token)
    if (link.claimedAt === null) {
      throw new AppError('claim_not_used', { detail: 'Nobody has used this link yet.' })
    }
    if (link.disputedAt !== null) return link
    const now = context.clock.now()
    const disputed = { ...link, disputedAt: now }
    await tx.putClaimLink(disputed)
    const reason = 'Whoever was to claim the secret says that somebody else did.'
    await tx.updateRotation({
      ...rotation,
      attention: 'claim_disputed',
      notes: [...rotation.notes, { at: now, what: 'attention', actor: null, detail: reason }],
    })
    const facts = { endpoint_id: endpoint.id, claimed_at: iso(link.claimedAt) }
    await recordAudit(tx, context, {
      projectId: link.projectId,
      action: 'endpoint.rotation.attention',
      target: { type: 'rotation', id: rotation.id },
      reason,
      details: { ...facts, attention: 'claim_disputed' },
    })
    await emitOperationalEvent(tx, context, link.projectId, 'endpoint.rotation.attention', {
      ...facts,
      rotation_id: rotation.id,
      attention: 'claim_disputed',
      reason,
    })
    return disputed
  })
}

/** Nobody is known but by the link. */
function byLink(context: ActionContext): ActionContext {
  const actor = { type: 'system', id: null, name: 'claim link' } as const
  return { ...context, principal: { ...context.principal, actor } }
}

async function loadClaim(tx: Transaction, token: string) {
  const link = await tx.findClaimLink(hashClaimToken(token))
  const endpoint = link === null ? null : await tx.getEndpoint(link.projectId, link.endpointId)
  const rotation = link === null ? null : await tx.getRotation(link.endpointId, link.rotationId)
  if (link === null || endpoint === null || rotation === null) throw noSuchLink()
  return { link, endpoint, rotation }
}

function noSuchLink(): AppError {
  return new AppError('not_found', {
    detail: 'There is no such link: it was replaced by a newer one, or is not whole.',
  })
}

function claimUsed({ claimedAt, disputedAt }: ClaimLink): AppError {
  return new AppError('claim_used', {
    detail: `This link was used at ${iso(claimedAt)}. If that was not you, say so.`,
    extra: { claimed_at: iso(claimedAt), disputed_at: iso(disputedAt) },
  })
}
