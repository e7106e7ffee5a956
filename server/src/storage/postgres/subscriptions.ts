import { compileFilter } from '../../core/event-filter.ts'
import type { Connection } from './connection.ts'

/** What accepting an event must know of an endpoint. */
export interface Subscription {
  endpointId: string
  endpointSeq: number
  /** False where the endpoint is disabled or blocked: its deliveries are stored as skipped. */
  isActive: boolean
  wants(eventType: string): boolean
}

/** Who receives what in one project. */
export interface ProjectSubscriptions {
  readonly seq: number
  /** The endpoints that want this type, oldest first; none in a deleted project. */
  matching(eventType: string): readonly Subscription[]
}

/**
 * Who receives what, in memory. Every change counts up a number in the project's row, which is read
 * in the transaction that accepts: so an endpoint that was there before is always seen, whichever
 * node made it.
 */
export interface Subscriptions {
  /** By project id, as the transaction sees it; a project that does not exist is left out. */
  read(
    connection: Connection,
    projectIds: ReadonlySet<string>,
    /** Projects in which the transaction itself has changed something. */
    ownChanges: readonly string[],
  ): Promise<Map<string, ProjectSubscriptions>>
}

interface SubscriptionRow {
  project_id: string
  seq: number
  id: string
  event_types: string
  is_active: boolean
}

/** Beyond these, the oldest entry makes room: one more read when it is needed again. */
const projectsMax = 10_000
const typesPerProjectMax = 1_000

export function createSubscriptions(): Subscriptions {
  const known = new Map<string, { version: number; project: ProjectSubscriptions }>()

  return {
    async read(connection, projectIds, ownChanges) {
      const found = new Map<string, ProjectSubscriptions>()
      const missing: { id: string; seq: number; version: number }[] = []
      const projects = await connection.all<{ id: string; seq: number; version: number }>(
        `select id, seq, subscriptions_version as version from projects where id = any(?::text[])`,
        [...projectIds],
      )
      for (const project of projects) {
        const { id, version } = project
        const kept = known.get(id)
        if (kept?.version === version && !ownChanges.includes(id)) found.set(id, kept.project)
        else missing.push(project)
      }
      if (missing.length === 0) return found
      const rows = await load(
        connection,
        missing.map(({ id }) => id),
      )
      for (const { id, seq, version } of missing) {
        const project = createProject(
          seq,
          rows.filter((row) => row.project_id === id),
        )
        found.set(id, project)
        if (!ownChanges.includes(id)) keep(known, id, { version, project }, projectsMax)
      }
      return found
    },
  }
}

function load(connection: Connection, projectIds: readonly string[]): Promise<SubscriptionRow[]> {
  return connection.all<SubscriptionRow>(
    `select e.project_id, e.seq, e.id, e.event_types,
       e.state = 'active' and h.health <> 'blocked' as is_active
     from endpoints e join endpoint_health h on h.endpoint_id = e.id
     where e.project_id = any(?::text[]) and e.deleted_at is null
     order by e.seq`,
    projectIds,
  )
}

function createProject(seq: number, rows: readonly SubscriptionRow[]): ProjectSubscriptions {
  const byType = new Map<string, readonly Subscription[]>()
  const all = rows.map((row) => ({
    endpointId: row.id,
    endpointSeq: row.seq,
    isActive: row.is_active,
    wants: compileFilter(JSON.parse(row.event_types) as string[]),
  }))
  return {
    seq,
    matching(eventType) {
      let matching = byType.get(eventType)
      if (matching === undefined) {
        matching = all.filter((subscription) => subscription.wants(eventType))
        keep(byType, eventType, matching, typesPerProjectMax)
      }
      return matching
    },
  }
}

function keep<Value>(map: Map<string, Value>, key: string, value: Value, sizeMax: number): void {
  for (const oldest of map.keys()) {
    if (map.size < sizeMax) break
    map.delete(oldest)
  }
  map.set(key, value)
}
