import type { EventTypeDefinition } from '../../core/event-type-definition.ts'
import type { Reads, Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'
import type { Effects } from './effects.ts'
import { readSeqPage } from './pages.ts'

interface EventTypeRow {
  seq: number
  /** Empty: in the catalogue. */
  project_id: string
  name: string
  description: string | null
  schema: string | null
  is_deprecated: boolean
  created_at: number
  updated_at: number
}

const columns = `seq, project_id, name, description, schema, is_deprecated, created_at, updated_at`

export function eventTypeReads(
  connection: Connection,
): Pick<Reads, 'getEventType' | 'listEventTypes'> {
  return {
    async getEventType(projectId, name) {
      const row = await connection.one<EventTypeRow>(
        `select ${columns} from event_types where project_id = ? and name = ?`,
        projectId ?? '',
        name,
      )
      return row === undefined ? null : toEventType(row)
    },

    async listEventTypes(projectId, page) {
      return readSeqPage(
        connection,
        `select ${columns} from event_types
         where project_id = ? and seq < ?
         order by seq desc
         limit ?`,
        [projectId ?? ''],
        page,
        toEventType,
      )
    },
  }
}

export function eventTypeWrites(
  connection: Connection,
  effects: Effects,
): Pick<Transaction, 'putEventType' | 'deleteEventType'> {
  return {
    async putEventType(definition) {
      await connection.write(
        `insert into event_types (project_id, name, description, schema, is_deprecated, created_at,
           updated_at)
         values (:projectId, :name, :description, :schema, :isDeprecated, :createdAt, :updatedAt)
         on conflict (project_id, name) do update
         set description = excluded.description, schema = excluded.schema,
           is_deprecated = excluded.is_deprecated, updated_at = excluded.updated_at`,
        { ...definition, projectId: definition.projectId ?? '' },
      )
      effects.touch('eventTypeProjectIds', definition.projectId ?? '')
    },

    async deleteEventType(projectId, name) {
      const count = await connection.run(
        `delete from event_types where project_id = ? and name = ?`,
        projectId ?? '',
        name,
      )
      if (count > 0) effects.touch('eventTypeProjectIds', projectId ?? '')
      return count > 0
    },
  }
}

function toEventType(row: EventTypeRow): EventTypeDefinition {
  return {
    projectId: row.project_id === '' ? null : row.project_id,
    name: row.name,
    description: row.description,
    schema: row.schema,
    isDeprecated: row.is_deprecated,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
