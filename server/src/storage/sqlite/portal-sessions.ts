import { type PortalSessionRow, toPortalSession } from '../portal-session-row.ts'
import type { Reads, Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'
import type { Effects } from './effects.ts'

const columns = `s.id, s.project_id, s.actor, s.scopes, s.hash, s.created_by, s.key_hash,
  s.created_at, s.expires_at, s.revoked_at`

/** Sessions of projects that are not deleted. */
const liveSessions = `portal_sessions s
  join projects p on p.id = s.project_id and p.deleted_at is null`

export function portalSessionReads(
  connection: Connection,
): Pick<Reads, 'findPortalSessionByHash' | 'getPortalSession'> {
  return {
    async findPortalSessionByHash(hash) {
      const row = connection.one<PortalSessionRow>(
        `select ${columns} from ${liveSessions} where s.hash = ?`,
        hash,
      )
      return row === undefined ? null : toPortalSession(row)
    },

    async getPortalSession(projectId, sessionId) {
      const row = connection.one<PortalSessionRow>(
        `select ${columns} from ${liveSessions} where s.project_id = ? and s.id = ?`,
        projectId,
        sessionId,
      )
      return row === undefined ? null : toPortalSession(row)
    },
  }
}

export function portalSessionWrites(
  connection: Connection,
  effects: Effects,
): Pick<Transaction, 'insertPortalSession' | 'revokePortalSession' | 'deleteOldPortalSessions'> {
  return {
    async insertPortalSession(session) {
      connection.write(
        `insert into portal_sessions (id, project_id, actor, scopes, hash, created_by, key_hash,
           created_at, expires_at, revoked_at)
         values (:id, :projectId, :actor, :scopes, :hash, :createdBy, :keyHash,
           :createdAt, :expiresAt, :revokedAt)`,
        {
          ...session,
          scopes: JSON.stringify(session.scopes),
          createdBy: JSON.stringify(session.createdBy),
        },
      )
    },

    async revokePortalSession(sessionId, at) {
      connection.run('update portal_sessions set revoked_at = ? where id = ?', at, sessionId)
      effects.touch('portalSessionIds', sessionId)
    },

    async deleteOldPortalSessions(before, limit) {
      return connection.run(
        `delete from portal_sessions where seq in (
           select seq from portal_sessions where expires_at < ? order by expires_at limit ?
         )`,
        before,
        limit,
      )
    },
  }
}
