import { createHash } from 'node:crypto'

export const secretAlgorithms = ['hmac-sha256', 'ed25519'] as const
export type SecretAlgorithm = (typeof secretAlgorithms)[number]

export type SecretStatus = 'staged' | 'current' | 'retiring' | 'expired' | 'revoked'

/** Staged where `activatesAt` lies after `createdAt`; else in force from its creation on. */
export interface ActivationTimes {
  createdAt: number
  activatesAt: number
}

/** The timestamps that decide alone whether a secret signs (rotation.md section 1). */
export interface SecretTimes extends ActivationTimes {
  id: string
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
  /** `whpk_…`; null where the algorithm has no public half. */
  publicKey: string | null
  /** Last 4 characters of the text that the receiver holds. */
  hint: string
  /** First 16 hex digits of SHA-256 over the key bytes; over those of the public half where there is one. */
  fingerprint: string
  /** May lag behind by a minute. */
  lastSignedAt: number | null
}

export function isSecretExpired(secret: SecretTimes, now: number): boolean {
  return secret.expirySeenAt !== null || (secret.expiresAt !== null && secret.expiresAt <= now)
}

/**
 * True once its time has come, and always where it never had to wait: what was made to be in force
 * at once stays so when the clock is set back. What was staged follows the clock.
 */
export function hasActivated({ activatesAt, createdAt }: ActivationTimes, now: number): boolean {
  return activatesAt <= Math.max(now, createdAt)
}

/** Active or yet to become active. */
export function isSecretLive(secret: SecretTimes, now: number): boolean {
  return secret.revokedAt === null && !isSecretExpired(secret, now)
}

/** Newest first: by activation, then by id, which grows with time. */
export function newestFirst(a: SecretTimes, b: SecretTimes): number {
  return b.activatesAt - a.activatesAt || (a.id < b.id ? 1 : -1)
}

/**
 * The live secrets whose turn has come, newest first: the newest that is activated and all before
 * it. Never empty while a secret is live: where a clock was set back to before a staged cut whose
 * old secret was seen expired, the new one stays in force.
 */
export function secretsInForce<T extends SecretTimes>(secrets: readonly T[], now: number): T[] {
  const live = secrets.filter((secret) => isSecretLive(secret, now)).sort(newestFirst)
  // None activated: -1, which leaves the last, the next to come up.
  return live.slice(live.findIndex((secret) => hasActivated(secret, now)))
}

/** Every secret that signs at `now`, newest first, at most `secretsActiveMax`. */
export function signingSet<T extends SecretTimes>(
  secrets: readonly T[],
  now: number,
  secretsActiveMax: number,
): T[] {
  return secretsInForce(secrets, now).slice(0, secretsActiveMax)
}

/** The newest secret that signs, or null where none is live. */
export function currentSecret<T extends SecretTimes>(secrets: readonly T[], now: number): T | null {
  return secretsInForce(secrets, now)[0] ?? null
}

/** Computed at the moment of asking; no job ever sets it. */
export function secretStatus(
  secret: SecretTimes,
  siblings: readonly SecretTimes[],
  now: number,
): SecretStatus {
  if (secret.revokedAt !== null) return 'revoked'
  if (isSecretExpired(secret, now)) return 'expired'
  const place = secretsInForce(siblings, now).findIndex(({ id }) => id === secret.id)
  if (place < 0) return 'staged'
  return place === 0 ? 'current' : 'retiring'
}

export function secretHint(value: string): string {
  return value.slice(-4)
}

export function secretFingerprint(keyBytes: Uint8Array): string {
  return createHash('sha256').update(keyBytes).digest('hex').slice(0, 16)
}
