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

/**
 * Who receives what, in memory, read through the writer's connection so that it always shows the
 * running transaction. Forgotten on every write to an endpoint or project, and when one is undone.
 */
export interface Subscriptions {
  /**
   * The project's number and its endpoints that want this type, oldest first; none in a deleted
   * project; null when there is no such project.
   */
  matching(
    projectId: string,
    eventType: string,
  ): { projectSeq: number; subscribed: readonly Subscription[] } | null
  forget(projectId: string): void
  forgetAll(): void
}

interface ProjectSubscriptions {
  seq: number
  all: Subscription[]
  byType: Map<string, Subscription[]>
}

interface SubscriptionRow {
  seq: number
  id: string
  event_types: string
  is_active: number
}

/** Beyond these, the oldest entry makes room: one more read when it is needed again. */
const projectsMax = 10_000
const typesPerProjectMax = 1_000

export function createSubscriptions(connection: Connection): Subscriptions {
  const projects = new Map<string, ProjectSubscriptions>()

  function load(projectId: string): ProjectSubscriptions | null {
    const project = connection.one<{ seq: number }>(
      'select seq from projects where id = ?',
      projectId,
    )
    if (project === undefined) return null
    const rows = connection.all<SubscriptionRow>(
      `select seq, id, event_types, state = 'active' and health <> 'blocked' as is_active
       from endpoints
       where project_id = ? and deleted_at is null
       order by seq`,
      projectId,
    )
    const all = rows.map((row) => ({
      endpointId: row.id,
      endpointSeq: row.seq,
      isActive: row.is_active === 1,
      wants: compileFilter(JSON.parse(row.event_types) as string[]),
    }))
    return { seq: project.seq, all, byType: new Map() }
  }

  return {
    matching(projectId, eventType) {
      let project = projects.get(projectId)
      if (project === undefined) {
        const loaded = load(projectId)
        if (loaded === null) return null
        project = loaded
        keep(projects, projectId, project, projectsMax)
      }
      let matching = project.byType.get(eventType)
      if (matching === undefined) {
        matching = project.all.filter((subscription) => subscription.wants(eventType))
        keep(project.byType, eventType, matching, typesPerProjectMax)
      }
      return { projectSeq: project.seq, subscribed: matching }
    },
    forget: (projectId) => void projects.delete(projectId),
    forgetAll: () => projects.clear(),
  }
}

function keep<Value>(map: Map<string, Value>, key: string, value: Value, sizeMax: number): void {
  for (const oldest of map.keys()) {
    if (map.size < sizeMax) break
    map.delete(oldest)
  }
  map.set(key, value)
}
