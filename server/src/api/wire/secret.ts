import type { Static, TObject } from 'typebox'
import { limits } from '../../core/limits.ts'
import {
  type Secret,
  type SecretAlgorithm,
  secretAlgorithms,
  secretStatus,
} from '../../core/secret.ts'
import { nullable, oneOf, time } from './fields.ts'
import { keySetPath } from './key-set.ts'
import { wireTime } from './time.ts'
import { Type } from './type.ts'

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
    public_key: nullable(
      Type.String({ description: '`whpk_…`; null for HMAC, which has no public half.' }),
    ),
    hint: Type.String({
      description: 'Last four characters of the secret; of the public key where there is one.',
    }),
    fingerprint: Type.String({
      description:
        'First 16 hex digits of SHA-256 over the key bytes; over those of the public key where there is one.',
    }),
    last_signed_at: nullable(time('May lag behind by a minute.')),
  },
  {
    $id: 'Secret',
    additionalProperties: false,
    description: "One version of an endpoint's signing key, without its value.",
  },
)

/** What stands in an answer that made a secret, once; a private key stands in none. */
export const mintedSecretFields = {
  secret: Type.Optional(
    Type.String({ description: 'The signing secret, in this answer only. Absent for `ed25519`.' }),
  ),
  public_key: Type.Optional(
    Type.String({ description: '`whpk_…`, in place of `secret` for `ed25519`.' }),
  ),
  key_set_url: Type.Optional(
    Type.String({
      description:
        'For `ed25519`: where receivers find the public keys. Without an origin where the server does not know its public address.',
    }),
  ),
  secret_id: Type.String(),
}

/** `value`: what the receiver is to hold; of a key pair, the public half. */
export function presentMinted(
  minted: { algorithm: SecretAlgorithm; value: string; secretId: string; endpointId: string },
  publicUrl: string | null,
): Static<TObject<typeof mintedSecretFields>> {
  const { algorithm, value, secretId, endpointId } = minted
  if (algorithm === 'hmac-sha256') return { secret: value, secret_id: secretId }
  const keySetUrl = (publicUrl ?? '') + keySetPath.replace(':endpoint', endpointId)
  return { public_key: value, key_set_url: keySetUrl, secret_id: secretId }
}

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
    public_key: secret.publicKey,
    hint: secret.hint,
    fingerprint: secret.fingerprint,
    last_signed_at: wireTime(secret.lastSignedAt),
  }
}
