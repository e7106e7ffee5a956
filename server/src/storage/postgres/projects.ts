import type { ProjectSettings } from '../../core/project.ts'
import { type ProjectRow, toProject } from '../project-row.ts'
import { type Reads, StorageConflictError, type Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'
import type { Effects } from './effects.ts'
import { wipeEndpoint } from './endpoints.ts'
import { readSeqPage } from './pages.ts'

export function projectReads(
  connection: Connection,
): Pick<Reads, 'getProject' | 'listProjects' | 'listRetentions'> {
  return {
    async getProject(ref) {
      const row = await connection.one<ProjectRow>(
        `select seq, id, uid, name, settings, created_at, updated_at
         from projects
         where (id = ?1 or uid = ?1) and deleted_at is null`,
        ref,
      )
      return row === undefined ? null : toProject(row)
    },

    async listRetentions() {
      const rows = await connection.all<{ id: string; settings: string; oldest: number }>(
        `select id, settings, oldest from (
           select p.id, p.settings, (
             select created_at from events
             where project_seq = p.seq order by created_at limit 1
           ) as oldest
           from projects p
         ) as kept where oldest is not null`,
      )
      return rows.map(({ id, settings, oldest }) => ({
        id,
        retentionDays: (JSON.parse(settings) as ProjectSettings).retentionDays ?? null,
        oldestEventAt: oldest,
      }))
    },

    async listProjects(page) {
      return readSeqPage(
        connection,
        `select seq, id, uid, name, settings, created_at, updated_at
         from projects
         where deleted_at is null and seq < ?
         order by seq desc
         limit ?`,
        [],
        page,
        toProject,
      )
    },
  }
}

export function projectWrites(
  connection: Connection,
  effects: Effects,
): Pick<Transaction, 'insertProject' | 'updateProject' | 'deleteProject'> {
  return {
    async insertProject(project) {
      const count = await connection.write(
        `insert into projects (id, uid, name, settings, created_at, updated_at)
         values (:id, :uid, :name, :settings, :createdAt, :updatedAt)
         on conflict (uid) where uid is not null and deleted_at is null do nothing`,
        { ...project, settings: JSON.stringify(project.settings) },
      )
      if (count === 0) throw new StorageConflictError('project_uid')
      effects.touch('projectIds', project.id)
    },

    async updateProject(project) {
      const taken = await connection.one(
        'select 1 from projects where uid = ? and deleted_at is null and id <> ?',
        project.uid,
        project.id,
      )
      if (taken !== undefined) throw new StorageConflictError('project_uid')
      await connection.run(
        `update projects set uid = ?, name = ?, settings = ?, updated_at = ?
         where id = ? and deleted_at is null`,
        project.uid,
        project.name,
        JSON.stringify(project.settings),
        project.updatedAt,
        project.id,
      )
      effects.touch('projectIds', project.id)
    },

    async deleteProject(projectId, at) {
      await connection.run('update projects set deleted_at = ? where id = ?', at, projectId)
      effects.touch('projectIds', projectId)
      const keys = await connection.all<{ id: string }>(
        `update api_keys set revoked_at = coalesce(revoked_at, ?)
         where project_id = ?
         returning id`,
        at,
        projectId,
      )
      for (const key of keys) effects.touch('apiKeyIds', key.id)
      const endpoints = await connection.all<{ id: string }>(
        'select id from endpoints where project_id = ? and deleted_at is null',
        projectId,
      )
      for (const { id } of endpoints) await wipeEndpoint(connection, effects, id, at)
      effects.add({ kind: 'subscriptions', projectId })
    },
  }
}
