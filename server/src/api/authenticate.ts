import { Buffer } from 'node:buffer'
import { hash, timingSafeEqual } from 'node:crypto'
import { isAccessToken, readAccessToken } from '../core/access-token.ts'
import { type ApiKey, isApiKeyLive } from '../core/api-key.ts'
import { type Principal, rootPrincipal } from '../core/authorization.ts'
import type { Clock } from '../core/clock.ts'
import { AppError, type ErrorDetails } from '../core/errors.ts'
import type { SecretBox } from '../core/secret-box.ts'
import type { CommittedChanges, Storage } from '../storage/storage.ts'
import { apiLimits } from './api-limits.ts'

export interface Authenticator {
  /**
   * The caller behind a key or access token; at once where it is known already. Throws, or rejects
   * with, `unauthorized`.
   */
  authenticate(credential: string): Principal | Promise<Principal>
  /** Forgets the keys that a commit touched, and those of projects that it touched. */
  forget(changes: Pick<CommittedChanges, 'apiKeyIds' | 'projectIds'>): void
}

/** Someone without a key: may do nothing that asks. */
export const anonymousPrincipal: Principal = {
  actor: { type: 'system', id: null, name: 'anonymous' },
  projectId: null,
  scopes: new Set(),
  isRoot: false,
}

/**
 * Tells who calls. Keys are compared by their SHA-256, so that neither the store nor this cache
 * holds one, and in constant time.
 */
export function createAuthenticator(options: {
  rootKeys: readonly string[]
  storage: Pick<Storage, 'findApiKeyByHash' | 'findApiKeyById'>
  /** Opens access tokens. */
  secretBox: SecretBox
  clock: Clock
  /** Told of each use of a project key. */
  noteUse(keyId: string): void
}): Authenticator {
  const { storage, clock } = options
  const rootDigests = options.rootKeys.map((key) => Buffer.from(hash('sha256', key)))
  const known = new Map<string, KnownKey>()
  // A key that was read while a commit came in may be out of date: it is used, but not kept.
  let commitCount = 0

  const principalOf = ({ apiKey, principal, tokenExpiresAt }: KnownKey): Principal => {
    const now = clock.now()
    if (!isApiKeyLive(apiKey, now)) throw unauthorized('The key is revoked or expired.')
    if (tokenExpiresAt <= now) throw unauthorized('The access token is expired.', 'expired')
    options.noteUse(apiKey.id)
    return principal
  }

  const load = async (digest: string, credential: string): Promise<Principal> => {
    const commitCountBefore = commitCount
    const token = isAccessToken(credential) ? readAccessToken(options.secretBox, credential) : null
    const apiKey =
      token === null
        ? await storage.findApiKeyByHash(digest)
        : await storage.findApiKeyById(token.keyId)
    // The secret half of client credentials is no key: it is exchanged for an access token.
    if (apiKey === null || (token === null && apiKey.clientId !== null)) {
      throw unauthorized('There is no such key.')
    }
    const tokenExpiresAt = token?.expiresAt ?? Number.POSITIVE_INFINITY
    const entry = { apiKey, principal: keyPrincipal(apiKey), tokenExpiresAt }
    if (commitCount === commitCountBefore) remember(known, digest, entry)
    return principalOf(entry)
  }

  return {
    authenticate(credential) {
      const digest = hash('sha256', credential)
      // 256 random bits behind a hash: how long the look-up takes tells nothing about another key.
      const entry = known.get(digest)
      if (entry !== undefined) return principalOf(entry)
      const bytes = Buffer.from(digest)
      let isRoot = false
      for (const rootDigest of rootDigests) if (timingSafeEqual(bytes, rootDigest)) isRoot = true
      return isRoot ? rootPrincipal : load(digest, credential)
    },

    forget({ apiKeyIds, projectIds }) {
      if (apiKeyIds.size === 0 && projectIds.size === 0) return
      commitCount += 1
      for (const [digest, { apiKey }] of known) {
        if (apiKeyIds.has(apiKey.id) || projectIds.has(apiKey.projectId)) known.delete(digest)
      }
    },
  }
}

interface KnownKey {
  apiKey: ApiKey
  principal: Principal
  tokenExpiresAt: number
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

export function unauthorized(
  detail: string,
  credential: ErrorDetails['credential'] = 'invalid',
): AppError {
  return new AppError('unauthorized', { detail, credential })
}

function keyPrincipal(apiKey: ApiKey): Principal {
  return {
    actor: { type: 'key', id: apiKey.id, name: apiKey.name },
    projectId: apiKey.projectId,
    scopes: new Set(apiKey.scopes),
    isRoot: false,
  }
}

function remember(known: Map<string, KnownKey>, digest: string, entry: KnownKey): void {
  if (known.size >= apiLimits.cachedKeysMax) {
    const [oldest] = known.keys()
    if (oldest !== undefined) known.delete(oldest)
  }
  known.set(digest, entry)
}
