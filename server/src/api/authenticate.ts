import { Buffer } from 'node:buffer'
import { hash, timingSafeEqual } from 'node:crypto'
import { type Principal, rootPrincipal } from '../core/authorization.ts'
import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { createReadCache } from '../core/read-cache.ts'
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
  authenticate(
    credential: string | DigestedCredential,
    address: string,
  ): Principal | Promise<Principal>
  /** Forgets the credentials that a commit touched, and those of projects that it touched. */
  forget(changes: CredentialChanges): void
}

/** A credential and its SHA-256, for whom it is read from the same bytes again and again. */
export interface DigestedCredential {
  readonly text: string
  readonly digest: string
}

export function digested(text: string): DigestedCredential {
  return { text, digest: hash('sha256', text) }
}

export type CredentialChanges = Pick<
  CommittedChanges,
  'apiKeyIds' | 'portalSessionIds' | 'projectIds'
>

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
  const credentials = createReadCache<KnownCredential>({
    ttlMs: options.storage.cacheTtlMs,
    clock,
    entriesMax: apiLimits.cachedKeysMax,
  })

  const principalOf = (entry: KnownCredential): Principal => {
    entry.check(clock.now())
    const { actor } = entry.principal
    if (actor.type === 'key' && actor.id !== null) options.noteUse(actor.id)
    return entry.principal
  }

  const load = async (digest: string, credential: string, address: string): Promise<Principal> => {
    failedAttempts.refuseWhereTooMany(address)
    try {
      const find = () => findCredential(options, credential, digest)
      return principalOf(await credentials.get(digest, find))
    } catch (error) {
      if (error instanceof AppError && error.code === 'unauthorized') {
        await failedAttempts.count(address)
      }
      throw error
    }
  }

  return {
    authenticate(credential, address) {
      const { text, digest } = typeof credential === 'string' ? digested(credential) : credential
      // 256 random bits behind a hash: how long the look-up takes tells nothing about another key.
      const entry = credentials.known(digest)
      if (entry !== undefined) return principalOf(entry)
      const bytes = Buffer.from(digest)
      let isRoot = false
      for (const rootDigest of rootDigests) if (timingSafeEqual(bytes, rootDigest)) isRoot = true
      return isRoot ? rootPrincipal : load(digest, text, address)
    },

    forget({ apiKeyIds, portalSessionIds, projectIds }) {
      if (apiKeyIds.size + portalSessionIds.size + projectIds.size === 0) return
      credentials.forget(
        ({ apiKeyId, portalSessionId, projectId }) =>
          (apiKeyId !== null && apiKeyIds.has(apiKeyId)) ||
          (portalSessionId !== null && portalSessionIds.has(portalSessionId)) ||
          projectIds.has(projectId),
      )
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
