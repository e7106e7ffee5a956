import { limits } from '../core/limits.ts'
import { isSecretExpired, signingSet } from '../core/secret.ts'
import type { SenderSecret } from './sender-messages.ts'

/**
 * The signing set of one endpoint at the instant of an attempt. It is computed again whenever an
 * activation or expiry lies between the last computation and now, or time went back; a secret that
 * was seen expired stays expired (rotation.md section 1).
 */
export interface Signing {
  keysAt(now: number): readonly SenderSecret[]
}

export function createSigning(
  secrets: readonly SenderSecret[],
  latched: Set<string>,
  onExpired: (secretId: string, at: number) => void,
): Signing {
  let keys: readonly SenderSecret[] = []
  let validFrom = Number.POSITIVE_INFINITY
  let validUntil = Number.NEGATIVE_INFINITY

  const compute = (now: number) => {
    validFrom = now
    validUntil = Number.POSITIVE_INFINITY
    for (const secret of secrets) {
      if (latched.has(secret.id)) secret.expirySeenAt ??= now
      if (secret.expirySeenAt === null && isSecretExpired(secret, now)) {
        secret.expirySeenAt = now
        latched.add(secret.id)
        onExpired(secret.id, now)
      }
      for (const boundary of [secret.activatesAt, secret.expiresAt]) {
        if (boundary !== null && boundary > now) validUntil = Math.min(validUntil, boundary)
      }
    }
    keys = signingSet(secrets, now, limits.secretsActiveMax)
  }

  return {
    keysAt(now) {
      if (now < validFrom || now >= validUntil) compute(now)
      return keys
    },
  }
}
