import { type ApiKey, hashApiKey, isApiKeyLive, makeApiKeyValue } from '../core/api-key.ts'
import { requireScope } from '../core/authorization.ts'
import { AppError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { secretHint } from '../core/secret.ts'
import type { ActionContext } from './action-context.ts'
import { iso } from './apply-rotation-plan.ts'
import { refuseBeyondOwnScopes } from './grantable-scopes.ts'
import { missing } from './load.ts'
import { recordAudit } from './record-audit.ts'

/**
 * Gives a key a new value; the present one works for `expireCurrentInSeconds` more, by default a
 * day. Rotated again in that time, only the two newest values work.
 */
export async function rotateApiKey(
  context: ActionContext,
  projectId: string,
  keyId: string,
  input: { expireCurrentInSeconds?: number | undefined },
): Promise<{ apiKey: ApiKey; value: string }> {
  requireScope(context.principal, projectId, 'keys.write')
  return context.transact(async (tx) => {
    const now = context.clock.now()
    const before = await tx.getApiKey(projectId, keyId)
    if (before === null) missing('key', keyId)
    if (!isApiKeyLive(before, now)) {
      throw new AppError('api_key_not_live', {
        detail: `Key ${keyId} is revoked or expired. Create another one.`,
      })
    }
    refuseBeyondOwnScopes(context, before.scopes)
    const { value } = makeApiKeyValue(context.randomBytes, before.dialect)
    const overlapSeconds = input.expireCurrentInSeconds ?? limits.expireCurrentInDefaultSeconds
    const isCut = overlapSeconds === 0
    // The overlap counts from the answer, as that of secrets does.
    const answeredAt = now + context.storage.cacheTtlMs
    const apiKey: ApiKey = {
      ...before,
      hint: secretHint(value),
      hash: hashApiKey(value),
      previousHash: isCut ? null : before.hash,
      previousExpiresAt: isCut ? null : answeredAt + overlapSeconds * 1000,
    }
    await tx.updateApiKey(apiKey)
    await recordAudit(tx, context, {
      projectId,
      action: 'api_key.rotated',
      target: { type: 'api_key', id: keyId },
      details: { name: apiKey.name, previous_key_expires_at: iso(apiKey.previousExpiresAt) },
    })
    return { apiKey, value }
  })
}
