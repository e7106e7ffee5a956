import { Buffer } from 'node:buffer'
import { timingSafeEqual } from 'node:crypto'
import { accessTokenLifetimeMs, sealAccessToken } from '../core/access-token.ts'
import { type ApiKey, hashApiKey, isApiKeyLive } from '../core/api-key.ts'
import { AppError } from '../core/errors.ts'
import type { ActionContext } from './action-context.ts'

export interface IssuedAccessToken {
  accessToken: string
  expiresInSeconds: number
  apiKey: ApiKey
}

/**
 * Exchanges client credentials for an access token with the rights of their key. Throws
 * `unauthorized` with one and the same sentence for whatever is wrong with them, in about the same
 * time.
 */
export async function issueAccessToken(
  context: ActionContext,
  credentials: { clientId: string; clientSecret: string },
): Promise<IssuedAccessToken> {
  const { storage, clock, secretBox } = context
  const apiKey = await storage.findApiKeyByClientId(credentials.clientId)
  const now = clock.now()
  const given = Buffer.from(hashApiKey(credentials.clientSecret))
  const isCurrent = isSame(given, apiKey?.hash)
  const isPrevious = isSame(given, apiKey?.previousHash)
  const isPreviousInForce = (apiKey?.previousExpiresAt ?? 0) > now
  const isSecretRight = isCurrent || (isPrevious && isPreviousInForce)
  if (
    apiKey === null ||
    apiKey.dialect !== 'dinie' ||
    !isSecretRight ||
    !isApiKeyLive(apiKey, now)
  ) {
    throw new AppError('unauthorized', {
      detail: 'The client id and client secret are not those of a live key.',
      credential: 'invalid',
    })
  }
  const expiresAt = now + accessTokenLifetimeMs
  return {
    accessToken: sealAccessToken(secretBox, { keyId: apiKey.id, expiresAt }),
    expiresInSeconds: accessTokenLifetimeMs / 1000,
    apiKey,
  }
}

/** In constant time, and where there is nothing to compare with, too. */
function isSame(given: Uint8Array, hash: string | null | undefined): boolean {
  return timingSafeEqual(given, Buffer.from(hash ?? hashOfNothing))
}

/** As long as a hash, and that of no secret that anyone knows. */
const hashOfNothing = '0'.repeat(64)
