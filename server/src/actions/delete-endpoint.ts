import { requireScope } from '../core/authorization.ts'
import type { ActionContext } from './action-context.ts'
import { loadEndpoint } from './load.ts'
import { recordAudit } from './record-audit.ts'

/** Its secrets are revoked and wiped; what was pending fails with reason `endpoint_deleted`. */
export async function deleteEndpoint(
  context: ActionContext,
  projectId: string,
  ref: string,
): Promise<void> {
  requireScope(context.principal, projectId, 'webhooks.write')
  return context.transact(async (tx) => {
    const endpoint = await loadEndpoint(tx, projectId, ref)
    await tx.deleteEndpoint(endpoint.id, context.clock.now())
    await recordAudit(tx, context, {
      projectId,
      action: 'endpoint.deleted',
      target: { type: 'endpoint', id: endpoint.id },
      details: { url: endpoint.url },
    })
  })
}
