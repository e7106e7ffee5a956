import { Buffer } from 'node:buffer'
import { hash, timingSafeEqual } from 'node:crypto'
import { type Principal, rootPrincipal } from '../core/authorization.ts'
import { freshUntil, isFresh } from '../core/cache-lifetime.ts'
import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { SecretBox } from '../core/secret-box.ts'
import type { CommittedChanges, Storage } from '../storage/storage.ts'
import { apiLimits } from './api-limits.ts'
import type { FailedAttempts } from './failed-attempts.ts'
import { findCredential, type KnownCredential, unauthorized } from './find-credential.ts'

export { unauthorized } from './find-credential.ts'

export interface Authenticator {
  /**
   * The caller behind a key, access token or portal token; at once where it is known already. Throws, or rejects
   * with, `unauthorized`, or `rate_limit_exceeded` where the address has failed too often.
   */
  authenticate(credential: string, address: string): Principal | Promise<Principal>
  /** Forgets the credentials that a commit touched, and those of projects that it touched. */
  forget(changes: CredentialChanges): void
}

export type CredentialChanges = Pick<
  CommittedChanges,
  'apiKeyIds' | 'portalSessionIds' | 'projectIds'
>

/** With the end of its use, on the monotonic clock: other processes may revoke it too. */
interface KeptCredential extends KnownCredential {
  until: number
}

/** Someone without a key: may do nothing that asks. */
export const anonymousPrincipal: Principal = {
  actor: { type: 'system', id: null, name: 'anonymous' },
  projectId: null,
  scopes: new Set(),
  isRoot: false,
  keyHash: null,
}

/**
 * Tells who calls. Keys are compared by their SHA-256, so that neither the store nor this cache
 * holds one, and in constant time.
 */
export function createAuthenticator(options: {
  rootKeys: readonly string[]
  storage: Pick<
    Storage,
    'findApiKeyByHash' | 'findApiKeyById' | 'findPortalSessionByHash' | 'cacheTtlMs'
  >
  /** Opens access tokens. */
  secretBox: SecretBox
  clock: Clock
  failedAttempts: FailedAttempts
  /** Told of each use of a project key. */
  noteUse(keyId: string): void
}): Authenticator {
  const { clock, failedAttempts } = options
  const rootDigests = options.rootKeys.map((key) => Buffer.from(hash('sha256', key)))
  const known = new Map<string, KeptCredential>()
  // What was read while a commit came in may be out of date: it is used, but not kept.
  let commitCount = 0

  const principalOf = (entry: KnownCredential): Principal => {
    entry.check(clock.now())
    const { actor } = entry.principal
    if (actor.type === 'key' && actor.id !== null) options.noteUse(actor.id)
    return entry.principal
  }

  const load = async (digest: string, credential: string, address: string): Promise<Principal> => {
    failedAttempts.refuseWhereTooMany(address)
    try {
      return await lookUp(digest, credential)
    } catch (error) {
      if (error instanceof AppError && error.code === 'unauthorized') {
        await failedAttempts.count(address)
      }
      throw error
    }
  }

  const lookUp = async (digest: string, credential: string): Promise<Principal> => {
    const commitCountBefore = commitCount
    const until = freshUntil(options.storage.cacheTtlMs, clock)
    const entry = await findCredential(options, credential, digest)
    if (commitCount === commitCountBefore) remember(known, digest, { ...entry, until })
    return principalOf(entry)
  }

  return {
    authenticate(credential, address) {
      const digest = hash('sha256', credential)
      // 256 random bits behind a hash: how long the look-up takes tells nothing about another key.
      const entry = known.get(digest)
      if (entry !== undefined && isFresh(entry.until, clock)) return principalOf(entry)
      const bytes = Buffer.from(digest)
      let isRoot = false
      for (const rootDigest of rootDigests) if (timingSafeEqual(bytes, rootDigest)) isRoot = true
      return isRoot ? rootPrincipal : load(digest, credential, address)
    },

    forget({ apiKeyIds, portalSessionIds, projectIds }) {
      if (apiKeyIds.size + portalSessionIds.size + projectIds.size === 0) return
      commitCount += 1
      for (const [digest, { apiKeyId, portalSessionId, projectId }] of known) {
        const isTouched =
          (apiKeyId !== null && apiKeyIds.has(apiKeyId)) ||
          (portalSessionId !== null && portalSessionIds.has(portalSessionId)) ||
          projectIds.has(projectId)
        if (isTouched) known.delete(digest)
      }
    },
  }
}

/** The key in an `Authorization` header; throws `unauthorized`. */
export function bearerOf(authorization: string | undefined): string {
  if (authorization === undefined) {
    throw unauthorized('Send the header Authorization: Bearer <key>.', 'missing')
  }
  const match = /^bearer +(\S+)$/i.exec(authorization)
  if (match?.[1] === undefined) {
    throw unauthorized('The Authorization header must read Bearer <key>.')
  }
  return match[1]
}

function remember(known: Map<string, KeptCredential>, digest: string, entry: KeptCredential): void {
  if (known.size >= apiLimits.cachedKeysMax) {
    const [oldest] = known.keys()
    if (oldest !== undefined) known.delete(oldest)
  }
  known.set(digest, entry)
}
