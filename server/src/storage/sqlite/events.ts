import type { Event } from '../../core/event.ts'
import type { Reads } from '../storage.ts'
import type { Connection } from './connection.ts'
import { readTimePage } from './pages.ts'

interface EventRow {
  seq: number
  id: string
  project_id: string
  type: string
  timestamp: string
  metadata: string
  data: string | null
  delivery_count: number
  at: number
}

export function eventReads(connection: Connection): Pick<Reads, 'getEvent' | 'listEvents'> {
  return {
    async getEvent(projectId, eventId) {
      const row = connection.one<EventRow>(
        `select seq, id, project_id, type, timestamp, metadata, data, delivery_count,
           created_at as at
         from events
         where project_id = ? and id = ?
           and exists (select 1 from projects p where p.id = project_id and p.deleted_at is null)`,
        projectId,
        eventId,
      )
      return row === undefined ? null : toEvent(row)
    },

    async listEvents(projectId, page) {
      return readTimePage(
        connection,
        `select seq, id, project_id, type, timestamp, metadata, null as data, delivery_count,
           created_at as at
         from events
         where project_id = ? and (created_at, seq) < (?, ?)
           and exists (select 1 from projects p where p.id = project_id and p.deleted_at is null)
         order by created_at desc, seq desc
         limit ?`,
        [projectId],
        page,
        toEvent,
      )
    },
  }
}

function toEvent(row: EventRow): Event {
  return {
    id: row.id,
    projectId: row.project_id,
    type: row.type,
    timestamp: row.timestamp,
    metadata: JSON.parse(row.metadata) as Record<string, unknown>,
    data: row.data,
    deliveryCount: row.delivery_count,
    createdAt: row.at,
  }
}
