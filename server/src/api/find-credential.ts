import { isAccessToken, readAccessToken } from '../core/access-token.ts'
import { type ApiKey, isApiKeyLive, isKeyValueLive } from '../core/api-key.ts'
import type { Principal } from '../core/authorization.ts'
import { AppError, type ErrorDetails } from '../core/errors.ts'
import { isPortalSessionLive, isPortalToken, type PortalSession } from '../core/portal-session.ts'
import type { SecretBox } from '../core/secret-box.ts'
import type { Storage } from '../storage/storage.ts'

/** What is known of a credential once it was looked up. */
export interface KnownCredential {
  principal: Principal
  /** What it hangs on: a commit that touches it makes it unknown again. */
  apiKeyId: string | null
  portalSessionId: string | null
  projectId: string
  /** Throws `unauthorized` where it holds no longer. */
  check(now: number): void
}

/**
 * What a credential stands for: the value of a key or the one before its rotation, an access token,
 * or the token of a portal session. Throws `unauthorized` for anything else.
 */
export async function findCredential(
  parts: {
    storage: Pick<Storage, 'findApiKeyByHash' | 'findApiKeyById' | 'findPortalSessionByHash'>
    secretBox: SecretBox
  },
  credential: string,
  digest: string,
): Promise<KnownCredential> {
  const { storage } = parts
  const openerOf = async ({ createdBy: { type, id } }: PortalSession): Promise<ApiKey | null> => {
    if (type !== 'key' || id === null) return null
    return (await storage.findApiKeyById(id)) ?? thereIsNone()
  }
  if (isPortalToken(credential)) {
    const session = await storage.findPortalSessionByHash(digest)
    return session === null ? thereIsNone() : ofPortalSession(session, await openerOf(session))
  }
  if (isAccessToken(credential)) {
    const token = readAccessToken(parts.secretBox, credential)
    const apiKey = token === null ? null : await storage.findApiKeyById(token.keyId)
    if (token === null || apiKey === null) return thereIsNone()
    return ofApiKey(apiKey, null, (now) => {
      if (token.expiresAt <= now) throw unauthorized('The access token is expired.', 'expired')
    })
  }
  const apiKey = await storage.findApiKeyByHash(digest)
  // The secret half of client credentials is no key: it is exchanged for an access token.
  if (apiKey === null || apiKey.clientId !== null) return thereIsNone()
  if (apiKey.hash === digest) return ofApiKey(apiKey, digest, () => {})
  return ofApiKey(apiKey, digest, (now) => {
    if ((apiKey.previousExpiresAt ?? 0) <= now) {
      throw unauthorized('The key was rotated, and this earlier value has stopped.')
    }
  })
}

export function unauthorized(
  detail: string,
  credential: ErrorDetails['credential'] = 'invalid',
): AppError {
  return new AppError('unauthorized', { detail, credential })
}

function thereIsNone(): never {
  throw unauthorized('There is no such key.')
}

function ofApiKey(
  apiKey: ApiKey,
  keyHash: string | null,
  checkValue: (now: number) => void,
): KnownCredential {
  return {
    principal: {
      actor: { type: 'key', id: apiKey.id, name: apiKey.name },
      projectId: apiKey.projectId,
      scopes: new Set(apiKey.scopes),
      isRoot: false,
      keyHash,
    },
    apiKeyId: apiKey.id,
    portalSessionId: null,
    projectId: apiKey.projectId,
    check(now) {
      if (!isApiKeyLive(apiKey, now)) throw unauthorized('The key is revoked or expired.')
      checkValue(now)
    },
  }
}

/** `opener`: the key that it was opened with, or null where none was. */
function ofPortalSession(session: PortalSession, opener: ApiKey | null): KnownCredential {
  const { keyHash } = session
  const isOpenerLive = (now: number) => {
    if (opener === null) return true
    return keyHash === null ? isApiKeyLive(opener, now) : isKeyValueLive(opener, keyHash, now)
  }
  return {
    principal: {
      actor: { type: 'portal', id: session.id, name: session.actor },
      projectId: session.projectId,
      scopes: new Set(session.scopes),
      isRoot: false,
      keyHash: null,
    },
    apiKeyId: opener?.id ?? null,
    portalSessionId: session.id,
    projectId: session.projectId,
    check(now) {
      if (!isPortalSessionLive(session, now) || !isOpenerLive(now)) {
        throw unauthorized('The portal session is over.', 'expired')
      }
    },
  }
}
