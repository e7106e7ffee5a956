import { requireRoot } from '../core/authorization.ts'
import type { ActionContext } from './action-context.ts'
import { loadProject } from './load.ts'
import { recordAudit } from './record-audit.ts'

/** The project, its keys and its endpoints are gone; what was pending fails as `endpoint_deleted`. */
export async function deleteProject(context: ActionContext, projectId: string): Promise<void> {
  requireRoot(context.principal)
  return context.transact(async (tx) => {
    const project = await loadProject(tx, projectId)
    await tx.deleteProject(project.id, context.clock.now())
    await recordAudit(tx, context, {
      projectId: project.id,
      action: 'project.deleted',
      target: { type: 'project', id: project.id },
    })
  })
}
