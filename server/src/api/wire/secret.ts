import { type Static, Type } from 'typebox'
import { limits } from '../../core/limits.ts'
import { type Secret, secretAlgorithms, secretStatus } from '../../core/secret.ts'
import { nullable, oneOf, time } from './fields.ts'
import { wireTime } from './time.ts'

export const algorithmField = oneOf(secretAlgorithms)

/** Room for the longest shape of any format: what is wrong with a secret, the action says. */
export const secretLengthMax = limits.secretBytesMax * 4

export const SecretSchema = Type.Object(
  {
    id: Type.String(),
    algorithm: algorithmField,
    status: oneOf(
      ['staged', 'current', 'retiring', 'expired', 'revoked'],
      'Computed from the timestamps at the moment of asking.',
    ),
    created_at: time(),
    activates_at: time(),
    expires_at: nullable(time()),
    revoked_at: nullable(time()),
    hint: Type.String({ description: 'Last four characters of the secret.' }),
    fingerprint: Type.String({
      description: 'First 16 hex digits of SHA-256 over the key bytes.',
    }),
    last_signed_at: nullable(time('May lag behind by a minute.')),
  },
  {
    $id: 'Secret',
    additionalProperties: false,
    description: "One version of an endpoint's signing key, without its value.",
  },
)

export function presentSecret(
  secret: Secret,
  siblings: readonly Secret[],
  now: number,
): Static<typeof SecretSchema> {
  return {
    id: secret.id,
    algorithm: secret.algorithm,
    status: secretStatus(secret, siblings, now),
    created_at: wireTime(secret.createdAt),
    activates_at: wireTime(secret.activatesAt),
    expires_at: wireTime(secret.expiresAt),
    revoked_at: wireTime(secret.revokedAt),
    hint: secret.hint,
    fingerprint: secret.fingerprint,
    last_signed_at: wireTime(secret.lastSignedAt),
  }
}
