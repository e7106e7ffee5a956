import { requireScope } from '../core/authorization.ts'
import { claimUrlOf, hashClaimToken, makeClaimToken } from '../core/claim-link.ts'
import { AppError } from '../core/errors.ts'
import type { Rotation } from '../core/rotation.ts'
import { refuseClosed } from '../core/rotation-refusals.ts'
import type { Transaction } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'
import { iso } from './apply-rotation-plan.ts'
import { loadEndpoint, loadRotation } from './load.ts'
import { recordAudit } from './record-audit.ts'

/** Makes a new link for a secret that nobody has claimed; the link before works no more. */
export async function reissueClaimLink(
  context: ActionContext,
  projectId: string,
  ref: string,
  rotationId: string,
): Promise<{ rotation: Rotation; claimUrl: string }> {
  requireScope(context.principal, projectId, 'secrets.rotate')
  return context.transact(async (tx) => {
    const endpoint = await loadEndpoint(tx, projectId, ref)
    const rotation = await loadRotation(tx, endpoint.id, rotationId)
    refuseClosed(rotation, context.clock.now())
    const link = await tx.getClaimLink(rotation.id)
    if (link === null) {
      throw new AppError('not_found', { detail: 'This rotation goes by no claim link.' })
    }
    if (link.claimedAt !== null) {
      throw new AppError('claim_used', {
        detail: `The secret was claimed at ${iso(link.claimedAt)}, and is not given out twice. Rotate again if it is lost.`,
        extra: { claimed_at: iso(link.claimedAt), disputed_at: iso(link.disputedAt) },
      })
    }
    const claimUrl = await issueClaimLink(tx, context, rotation)
    await recordAudit(tx, context, {
      projectId,
      action: 'endpoint.claim_link.reissued',
      target: { type: 'rotation', id: rotation.id },
      details: { endpoint_id: endpoint.id },
    })
    return { rotation, claimUrl }
  })
}

/** The URL is returned once; only the hash of its token stays. */
export async function issueClaimLink(
  tx: Transaction,
  context: ActionContext,
  { id: rotationId, projectId, endpointId }: Rotation,
): Promise<string> {
  const { publicUrl } = context.settings
  if (publicUrl === null) throw noPublicUrl()
  const token = makeClaimToken(context.randomBytes)
  await tx.putClaimLink({
    hash: hashClaimToken(token),
    projectId,
    endpointId,
    rotationId,
    createdAt: context.clock.now(),
    claimedAt: null,
    disputedAt: null,
  })
  return claimUrlOf(publicUrl, token)
}

export function noPublicUrl(): AppError {
  return new AppError('public_url_missing', {
    detail: 'A claim link needs COUNTERSIGN_PUBLIC_URL, which the operator has not set.',
    param: 'deliver',
  })
}
