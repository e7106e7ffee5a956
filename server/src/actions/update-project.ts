import { requireRoot } from '../core/authorization.ts'
import type { Project, ProjectSettings } from '../core/project.ts'
import type { ActionContext } from './action-context.ts'
import { loadProject } from './load.ts'
import { refuseTakenProjectUid } from './project-uid.ts'
import { recordAudit } from './record-audit.ts'
import { refuseBadPolicy } from './refuse-bad-policy.ts'
import { rescheduleLooks } from './reschedule-look.ts'

export interface UpdateProjectInput {
  name?: string
  uid?: string | null
  /** Merged into the present settings, member by member. */
  settings?: ProjectSettings
}

export async function updateProject(
  context: ActionContext,
  projectId: string,
  input: UpdateProjectInput,
): Promise<Project> {
  requireRoot(context.principal)
  return context.transact(async (tx) => {
    const before = await loadProject(tx, projectId)
    if (input.uid !== undefined) await refuseTakenProjectUid(tx, input.uid, before.id)
    const project: Project = {
      ...before,
      name: input.name ?? before.name,
      uid: input.uid === undefined ? before.uid : input.uid,
      settings: { ...before.settings, ...input.settings },
      updatedAt: context.clock.now(),
    }
    if (input.settings?.secretPolicy !== undefined) await refuseBadPolicy(tx, context, project)
    await tx.updateProject(project)
    if (project.settings.autoProbe !== before.settings.autoProbe) {
      await rescheduleLooks(tx, context, project.id)
    }
    await recordAudit(tx, context, {
      projectId: project.id,
      action: 'project.updated',
      target: { type: 'project', id: project.id },
      details: { fields: Object.keys(input), ...revealChange(input.settings) },
    })
    return project
  })
}

/** Whoever reads the audit log must see when secrets became readable. */
function revealChange({ revealSecretInReads }: ProjectSettings = {}) {
  return revealSecretInReads === undefined ? {} : { reveal_secret_in_reads: revealSecretInReads }
}
