import { requireScope } from '../core/authorization.ts'
import type { ActionContext } from './action-context.ts'
import { missing } from './load.ts'
import { recordAudit } from './record-audit.ts'

/** The key stops at once. Revoking it again is `not_found`, as any second DELETE. */
export async function revokeApiKey(
  context: ActionContext,
  projectId: string,
  keyId: string,
): Promise<void> {
  requireScope(context.principal, projectId, 'keys.write')
  return context.transact(async (tx) => {
    const apiKey = await tx.getApiKey(projectId, keyId)
    if (apiKey === null || apiKey.revokedAt !== null) missing('key', keyId)
    await tx.updateApiKey({ ...apiKey, revokedAt: context.clock.now() })
    await recordAudit(tx, context, {
      projectId,
      action: 'api_key.revoked',
      target: { type: 'api_key', id: keyId },
      details: { name: apiKey.name },
    })
  })
}
