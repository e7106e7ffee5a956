import type { Static } from 'typebox'
import type { ClaimedSecret } from '../../actions/claim-secret.ts'
import type { ClaimLink } from '../../core/claim-link.ts'
import { nullable, ref, text, time } from './fields.ts'
import { RotationSchema } from './rotation.ts'
import { wireTime } from './time.ts'
import { Type } from './type.ts'

export const ClaimSecretSchema = Type.Object(
  { token: text(128, 'What stands behind `#` in the claim link.') },
  { $id: 'ClaimSecret', additionalProperties: false },
)

export const ClaimedSecretSchema = Type.Object(
  {
    secret: Type.String({ description: 'The new secret, in this answer only.' }),
    secret_id: Type.String(),
    endpoint_id: Type.String(),
    endpoint_url: Type.String(),
    format: Type.String(),
    rotation_id: Type.String(),
    activates_at: time(),
    previous_secret_expires_at: nullable(time('Until when the secret before works.')),
  },
  { $id: 'ClaimedSecret', additionalProperties: false },
)

export const DisputedClaimSchema = Type.Object(
  { claimed_at: time(), disputed_at: time() },
  { $id: 'DisputedClaim', additionalProperties: false },
)

export const ReissuedClaimLinkSchema = Type.Object(
  {
    claim_url: Type.String({ description: 'Works once; in this answer only.' }),
    rotation: ref(RotationSchema),
  },
  { $id: 'ReissuedClaimLink', additionalProperties: false },
)

export function presentClaimed(claimed: ClaimedSecret): Static<typeof ClaimedSecretSchema> {
  const { endpoint, rotation } = claimed
  return {
    secret: claimed.secretValue,
    secret_id: claimed.secretId,
    endpoint_id: endpoint.id,
    endpoint_url: endpoint.url,
    format: endpoint.format,
    rotation_id: rotation.id,
    activates_at: wireTime(rotation.activatesAt),
    previous_secret_expires_at: wireTime(rotation.previousSecretExpiresAt),
  }
}

export function presentDisputed(link: ClaimLink): Static<typeof DisputedClaimSchema> {
  return {
    claimed_at: wireTime(link.claimedAt ?? link.createdAt),
    disputed_at: wireTime(link.disputedAt ?? link.createdAt),
  }
}
