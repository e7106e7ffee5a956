import { type EventRow, toEvent } from '../event-row.ts'
import type { Reads } from '../storage.ts'
import type { Connection } from './connection.ts'
import { readTimePage } from './pages.ts'

export function eventReads(connection: Connection): Pick<Reads, 'getEvent' | 'listEvents'> {
  return {
    async getEvent(projectId, eventId) {
      const row = await connection.one<EventRow>(
        `select seq, id, type, timestamp, metadata, data, delivery_count, created_at as at
         from events
         where project_seq = (select seq from projects where id = ? and deleted_at is null)
           and id = ?`,
        projectId,
        eventId,
      )
      return row === undefined ? null : toEvent(projectId, row)
    },

    async listEvents(projectId, page) {
      return readTimePage(
        connection,
        // The partitions are read from the newest on, and only as far as the page needs.
        `select seq, id, type, timestamp, metadata, null as data, delivery_count, created_at as at
         from events
         where project_seq = (select seq from projects where id = ? and deleted_at is null)
           and (created_at, seq) < (?, ?)
         order by created_at desc, seq desc
         limit ?`,
        [projectId],
        page,
        (row: EventRow) => toEvent(projectId, row),
      )
    },
  }
}
