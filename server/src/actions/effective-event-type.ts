import type { Clock } from '../core/clock.ts'
import type { EventTypeDefinition } from '../core/event-type-definition.ts'
import { createReadCache } from '../core/read-cache.ts'
import type { CommittedChanges, Storage } from '../storage/storage.ts'

/** The schemas that events are held against, remembered: publishing asks for each event. */
export interface EventTypeDirectory {
  /** The schema in force for a type in a project; at once where it is known already. */
  schemaOf(projectId: string, type: string): string | null | Promise<string | null>
  forget(changes: Pick<CommittedChanges, 'eventTypeProjectIds'>): void
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
  const { storage, clock } = options
  const schemas = createReadCache<{ schema: string | null }>({
    ttlMs: storage.cacheTtlMs,
    clock,
    entriesMax: options.typesMax,
  })
  return {
    schemaOf(projectId, type) {
      const known = schemas.get(projectId + separator + type, async () => {
        const definition = await effectiveEventType(storage, projectId, type)
        return { schema: definition?.schema ?? null }
      })
      return known instanceof Promise ? known.then(({ schema }) => schema) : known.schema
    },
    forget({ eventTypeProjectIds }) {
      // Changes are rare, and the catalogue concerns every project.
      if (eventTypeProjectIds.size > 0) schemas.forget(() => true)
    },
  }
}

/** In no id. */
const separator = ' '
