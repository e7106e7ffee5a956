import { freshUntil, isFresh } from '../core/cache-lifetime.ts'
import type { Clock } from '../core/clock.ts'
import type { EventTypeDefinition } from '../core/event-type-definition.ts'
import type { CommittedChanges, Storage } from '../storage/storage.ts'

/** The schemas that events are held against, remembered: publishing asks for each event. */
export interface EventTypeDirectory {
  /** The schema in force for a type in a project; at once where it is known already. */
  schemaOf(projectId: string, type: string): string | null | Promise<string | null>
  forget(changes: Pick<CommittedChanges, 'eventTypeProjectIds'>): void
}

interface KeptSchema {
  schema: string | null
  /** The end of its use, on the monotonic clock. */
  until: number
}

/** A project's own definition stands over the catalogue's. */
export async function effectiveEventType(
  reads: Pick<Storage, 'getEventType'>,
  projectId: string,
  name: string,
): Promise<EventTypeDefinition | null> {
  return (await reads.getEventType(projectId, name)) ?? (await reads.getEventType(null, name))
}

export function createEventTypeDirectory(options: {
  storage: Pick<Storage, 'getEventType' | 'cacheTtlMs'>
  clock: Pick<Clock, 'monotonic'>
  /** How many types are remembered, with and without a schema. */
  typesMax: number
}): EventTypeDirectory {
  // By project and then type, so that nothing is joined into a key on the way of every event.
  const projects = new Map<string, Map<string, KeptSchema>>()
  let count = 0
  // What was read while a commit came in may be out of date: it is used, but not kept.
  let commitCount = 0

  const { storage, clock } = options
  const remember = (projectId: string, type: string, kept: KeptSchema) => {
    if (count >= options.typesMax) {
      projects.clear()
      count = 0
    }
    const known = projects.get(projectId) ?? new Map<string, KeptSchema>()
    projects.set(projectId, known)
    if (!known.has(type)) count += 1
    known.set(type, kept)
  }

  const load = async (projectId: string, type: string): Promise<string | null> => {
    const commitCountBefore = commitCount
    const until = freshUntil(storage.cacheTtlMs, clock)
    const definition = await effectiveEventType(storage, projectId, type)
    const schema = definition?.schema ?? null
    if (commitCount === commitCountBefore) remember(projectId, type, { schema, until })
    return schema
  }

  return {
    schemaOf(projectId, type) {
      const known = projects.get(projectId)?.get(type)
      return known !== undefined && isFresh(known.until, clock)
        ? known.schema
        : load(projectId, type)
    },
    forget({ eventTypeProjectIds }) {
      if (eventTypeProjectIds.size === 0) return
      commitCount += 1
      // Changes are rare, and the catalogue concerns every project.
      projects.clear()
      count = 0
    },
  }
}
