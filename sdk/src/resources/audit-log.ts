import { createList, type List } from '../list.ts'
import type { AuditRow, ListAuditLogQuery } from '../resources.ts'
import type { RequestOptions, Transport } from '../transport.ts'

/**
 * Every change to a secret, rotation, key or endpoint state.
 *
 * @example
 * const auditLog: AuditLog = client.auditLog
 */
export class AuditLog {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Lists audit rows, newest first.
   * @example
   * const action = 'endpoint.secret.rotated'
   * for await (const row of client.auditLog.list(project, { action })) {
   *   console.log(row.at, row.actor.name, row.reason)
   * }
   */
  list(project: string, query?: ListAuditLogQuery, options?: RequestOptions): List<AuditRow> {
    return createList<AuditRow>({
      transport: this.#transport,
      path: ['projects', project, 'audit-log'],
      query,
      options,
    })
  }
}
