import type { Secret, SecretAlgorithm } from '../core/secret.ts'

export interface SecretRow {
  id: string
  project_id: string
  endpoint_id: string
  algorithm: SecretAlgorithm
  sealed_value: Uint8Array | null
  public_key: string | null
  hint: string
  fingerprint: string
  created_at: number
  activates_at: number
  expires_at: number | null
  revoked_at: number | null
  expiry_seen_at: number | null
  last_signed_at: number | null
}

export function toSecret(row: SecretRow): Secret {
  return {
    id: row.id,
    projectId: row.project_id,
    endpointId: row.endpoint_id,
    algorithm: row.algorithm,
    sealedValue: row.sealed_value,
    publicKey: row.public_key,
    hint: row.hint,
    fingerprint: row.fingerprint,
    createdAt: row.created_at,
    activatesAt: row.activates_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    expirySeenAt: row.expiry_seen_at,
    lastSignedAt: row.last_signed_at,
  }
}
