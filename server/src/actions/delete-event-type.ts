import { requireRoot, requireScope } from '../core/authorization.ts'
import type { ActionContext } from './action-context.ts'
import { missing } from './load.ts'
import { recordAudit } from './record-audit.ts'

/** Takes back what was defined at this level: a project falls back to the catalogue. */
export async function deleteEventType(
  context: ActionContext,
  projectId: string | null,
  name: string,
): Promise<void> {
  if (projectId === null) requireRoot(context.principal)
  else requireScope(context.principal, projectId, 'webhooks.write')
  return context.transact(async (tx) => {
    if (!(await tx.deleteEventType(projectId, name))) missing('event type', name)
    await recordAudit(tx, context, {
      projectId,
      action: 'event_type.deleted',
      target: { type: 'event_type', id: name },
    })
  })
}
