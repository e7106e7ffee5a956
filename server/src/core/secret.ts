import { createHash } from 'node:crypto'

export const secretAlgorithms = ['hmac-sha256', 'ed25519'] as const
export type SecretAlgorithm = (typeof secretAlgorithms)[number]

export type SecretStatus = 'staged' | 'current' | 'retiring' | 'expired' | 'revoked'

/** The timestamps that decide alone whether a secret signs (rotation.md section 1). */
export interface SecretTimes {
  id: string
  activatesAt: number
  expiresAt: number | null
  revokedAt: number | null
  /**
   * When this secret was first seen past its expiry. From then on it never signs again, whatever
   * the clock does.
   */
  expirySeenAt: number | null
}

/** One version of an endpoint's signing key. The value itself stays sealed. */
export interface Secret extends SecretTimes {
  projectId: string
  endpointId: string
  algorithm: SecretAlgorithm
  /** The sealed text of the secret; null once the endpoint is deleted. */
  sealedValue: Uint8Array | null
  /** Last 4 characters of the text. */
  hint: string
  /** First 16 hex digits of SHA-256 over the key bytes. */
  fingerprint: string
  createdAt: number
  /** May lag behind by a minute. */
  lastSignedAt: number | null
}

export function isSecretExpired(secret: SecretTimes, now: number): boolean {
  return secret.expirySeenAt !== null || (secret.expiresAt !== null && secret.expiresAt <= now)
}

/** Signs at `now`: activated, not expired, not revoked. */
export function isSecretActive(secret: SecretTimes, now: number): boolean {
  return secret.revokedAt === null && secret.activatesAt <= now && !isSecretExpired(secret, now)
}

/** Active or yet to become active. */
export function isSecretLive(secret: SecretTimes, now: number): boolean {
  return secret.revokedAt === null && !isSecretExpired(secret, now)
}

/** Newest first: by activation, then by id, which grows with time. */
export function newestFirst(a: SecretTimes, b: SecretTimes): number {
  return b.activatesAt - a.activatesAt || (a.id < b.id ? 1 : -1)
}

/** Every secret that signs at `now`, newest first, at most `secretsActiveMax`. */
export function signingSet<T extends SecretTimes>(
  secrets: readonly T[],
  now: number,
  secretsActiveMax: number,
): T[] {
  return secrets
    .filter((secret) => isSecretActive(secret, now))
    .sort(newestFirst)
    .slice(0, secretsActiveMax)
}

/** The active secret with the latest activation, or null where nothing signs. */
export function currentSecret<T extends SecretTimes>(secrets: readonly T[], now: number): T | null {
  return signingSet(secrets, now, 1)[0] ?? null
}

/** Computed at the moment of asking; no job ever sets it. */
export function secretStatus(
  secret: SecretTimes,
  siblings: readonly SecretTimes[],
  now: number,
): SecretStatus {
  if (secret.revokedAt !== null) return 'revoked'
  if (isSecretExpired(secret, now)) return 'expired'
  if (secret.activatesAt > now) return 'staged'
  return currentSecret(siblings, now)?.id === secret.id ? 'current' : 'retiring'
}

export function secretHint(value: string): string {
  return value.slice(-4)
}

export function secretFingerprint(keyBytes: Uint8Array): string {
  return createHash('sha256').update(keyBytes).digest('hex').slice(0, 16)
}
