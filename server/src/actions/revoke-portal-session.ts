import { requireScope } from '../core/authorization.ts'
import { isPortalSessionLive } from '../core/portal-session.ts'
import type { ActionContext } from './action-context.ts'
import { missing } from './load.ts'
import { recordAudit } from './record-audit.ts'

/** The session ends at once. One that is over already is `not_found`, as any second DELETE. */
export async function revokePortalSession(
  context: ActionContext,
  projectId: string,
  sessionId: string,
): Promise<void> {
  requireScope(context.principal, projectId, 'keys.write')
  return context.transact(async (tx) => {
    const now = context.clock.now()
    const session = await tx.getPortalSession(projectId, sessionId)
    if (session === null || !isPortalSessionLive(session, now)) {
      missing('portal session', sessionId)
    }
    await tx.revokePortalSession(sessionId, now)
    await recordAudit(tx, context, {
      projectId,
      action: 'portal_session.revoked',
      target: { type: 'portal_session', id: sessionId },
      details: { actor: session.actor },
    })
  })
}
