import { requireScope } from '../core/authorization.ts'
import type { ActionContext } from './action-context.ts'
import { missing } from './load.ts'
import { recordAudit } from './record-audit.ts'

/**
 * Removes what an event said, for a privacy request: its data and metadata, and the answers of
 * receivers, which may repeat them. What is still to be sent is not sent any more.
 */
export async function expungeEvent(
  context: ActionContext,
  projectId: string,
  eventId: string,
): Promise<void> {
  requireScope(context.principal, projectId, 'events.write')
  return context.transact(async (tx) => {
    if (!(await tx.expungeEvent(projectId, eventId, context.clock.now()))) missing('event', eventId)
    await recordAudit(tx, context, {
      projectId,
      action: 'event.expunged',
      target: { type: 'event', id: eventId },
    })
  })
}
