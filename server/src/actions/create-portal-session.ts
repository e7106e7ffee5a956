import { hashApiKey } from '../core/api-key.ts'
import { requireScope, type Scope } from '../core/authorization.ts'
import { makePortalToken, type PortalSession } from '../core/portal-session.ts'
import type { ActionContext } from './action-context.ts'
import { iso } from './apply-rotation-plan.ts'
import { refuseBeyondOwnScopes } from './grantable-scopes.ts'
import { loadProject } from './load.ts'
import { recordAudit } from './record-audit.ts'

export interface CreatePortalSessionInput {
  scopes: readonly Scope[]
  /** Who will be working, in the words of the platform. */
  actor: string
  expiresInSeconds: number
}

/** The token is returned once and kept only as a hash. */
export async function createPortalSession(
  context: ActionContext,
  projectId: string,
  input: CreatePortalSessionInput,
): Promise<{ session: PortalSession; token: string }> {
  requireScope(context.principal, projectId, 'keys.write')
  const scopes = [...new Set(input.scopes)]
  refuseBeyondOwnScopes(context, scopes)
  return context.transact(async (tx) => {
    const project = await loadProject(tx, projectId)
    const now = context.clock.now()
    const token = makePortalToken(context.randomBytes)
    const session: PortalSession = {
      id: context.newId('pts'),
      projectId: project.id,
      actor: input.actor,
      scopes,
      hash: hashApiKey(token),
      createdBy: context.principal.actor,
      keyHash: context.principal.keyHash,
      createdAt: now,
      expiresAt: now + input.expiresInSeconds * 1000,
      revokedAt: null,
    }
    await tx.insertPortalSession(session)
    await recordAudit(tx, context, {
      projectId: project.id,
      action: 'portal_session.created',
      target: { type: 'portal_session', id: session.id },
      details: { actor: session.actor, scopes, expires_at: iso(session.expiresAt) },
    })
    return { session, token }
  })
}
