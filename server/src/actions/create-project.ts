import { requireRoot } from '../core/authorization.ts'
import type { Project, ProjectSettings } from '../core/project.ts'
import type { ActionContext } from './action-context.ts'
import { refuseTakenProjectUid } from './project-uid.ts'
import { recordAudit } from './record-audit.ts'

export interface CreateProjectInput {
  name: string
  uid: string | null
  settings: ProjectSettings
}

export async function createProject(
  context: ActionContext,
  input: CreateProjectInput,
): Promise<Project> {
  requireRoot(context.principal)
  return context.transact(async (tx) => {
    await refuseTakenProjectUid(tx, input.uid, null)
    const now = context.clock.now()
    const project: Project = { id: context.newId('prj'), ...input, createdAt: now, updatedAt: now }
    await tx.insertProject(project)
    await recordAudit(tx, context, {
      projectId: project.id,
      action: 'project.created',
      target: { type: 'project', id: project.id },
    })
    return project
  })
}
