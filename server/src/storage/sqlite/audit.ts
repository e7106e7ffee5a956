import type { SQLInputValue } from 'node:sqlite'
import type { Reads, Transaction } from '../storage.ts'
import { toAuditRow } from '../stored-audit-row.ts'
import type { Connection } from './connection.ts'
import { readTimePage } from './pages.ts'

export function auditReads(connection: Connection): Pick<Reads, 'listAuditRows'> {
  return {
    async listAuditRows(projectId, filter, page) {
      const conditions: string[] = []
      const values: SQLInputValue[] = [projectId]
      if (filter.actor !== undefined) {
        conditions.push('and (actor_id = ? or actor_type = ?)')
        values.push(filter.actor, filter.actor)
      }
      if (filter.action !== undefined) {
        conditions.push('and action = ?')
        values.push(filter.action)
      }
      if (filter.since !== undefined) {
        conditions.push('and at >= ?')
        values.push(filter.since)
      }
      return readTimePage(
        connection,
        `select seq, id, project_id, at, action, actor_type, actor_id, actor_name, target_type,
           target_id, reason, request_id, source_address, details
         from audit_rows
         where project_id = ? ${conditions.join(' ')} and (at, seq) < (?, ?)
           and exists (select 1 from projects p where p.id = project_id and p.deleted_at is null)
         order by at desc, seq desc
         limit ?`,
        values,
        page,
        toAuditRow,
      )
    },
  }
}

/** Rows are only ever added: nothing here changes or removes one. */
export function auditWrites(connection: Connection): Pick<Transaction, 'insertAuditRow'> {
  return {
    async insertAuditRow(row) {
      connection.write(
        `insert into audit_rows (id, project_id, at, action, actor_type, actor_id, actor_name,
           target_type, target_id, reason, request_id, source_address, details)
         values (:id, :projectId, :at, :action, :actorType, :actorId, :actorName,
           :targetType, :targetId, :reason, :requestId, :sourceAddress, :details)`,
        {
          id: row.id,
          projectId: row.projectId,
          at: row.at,
          action: row.action,
          actorType: row.actor.type,
          actorId: row.actor.id,
          actorName: row.actor.name,
          targetType: row.target.type,
          targetId: row.target.id,
          reason: row.reason,
          requestId: row.requestId,
          sourceAddress: row.sourceAddress,
          details: JSON.stringify(row.details),
        },
      )
    },
  }
}
