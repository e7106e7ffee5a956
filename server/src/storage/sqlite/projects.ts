import type { ProjectSettings } from '../../core/project.ts'
import { type ProjectRow, toProject } from '../project-row.ts'
import type { Reads, Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'
import type { Effects } from './effects.ts'
import { wipeEndpoint } from './endpoints.ts'
import { readSeqPage } from './pages.ts'
import type { Subscriptions } from './subscriptions.ts'

export function projectReads(
  connection: Connection,
): Pick<Reads, 'getProject' | 'listProjects' | 'listRetentions'> {
  return {
    async getProject(ref) {
      const row = connection.one<ProjectRow>(
        `select seq, id, uid, name, settings, created_at, updated_at
         from projects
         where (id = ?1 or uid = ?1) and deleted_at is null`,
        ref,
      )
      return row === undefined ? null : toProject(row)
    },

    async listRetentions() {
      const rows = connection.all<{ id: string; settings: string; oldest: number }>(
        `select id, settings, oldest from (
           select p.id, p.settings, (
             select created_at from events indexed by events_by_project
             where project_seq = p.seq order by created_at limit 1
           ) as oldest
           from projects p
         ) where oldest is not null`,
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
  subscriptions: Subscriptions,
): Pick<Transaction, 'insertProject' | 'updateProject' | 'deleteProject'> {
  return {
    async insertProject(project) {
      connection.write(
        `insert into projects (id, uid, name, settings, created_at, updated_at)
         values (:id, :uid, :name, :settings, :createdAt, :updatedAt)`,
        { ...project, settings: JSON.stringify(project.settings) },
      )
      effects.touch('projectIds', project.id)
    },

    async updateProject(project) {
      connection.run(
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
      connection.run('update projects set deleted_at = ? where id = ?', at, projectId)
      effects.touch('projectIds', projectId)
      const keys = connection.all<{ id: string }>(
        `update api_keys set revoked_at = coalesce(revoked_at, ?)
         where project_id = ?
         returning id`,
        at,
        projectId,
      )
      for (const key of keys) effects.touch('apiKeyIds', key.id)
      const endpoints = connection.all<{ id: string }>(
        'select id from endpoints where project_id = ? and deleted_at is null',
        projectId,
      )
      for (const { id } of endpoints) wipeEndpoint(connection, effects, id, at)
      subscriptions.forget(projectId)
    },
  }
}
