import type { EventTypeDefinition } from '../core/event-type-definition.ts'
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
  storage: Pick<Storage, 'getEventType'>
  /** How many types are remembered, with and without a schema. */
  typesMax: number
}): EventTypeDirectory {
  // By project and then type, so that nothing is joined into a key on the way of every event.
  const projects = new Map<string, Map<string, string | null>>()
  let count = 0
  // What was read while a commit came in may be out of date: it is used, but not kept.
  let commitCount = 0

  const remember = (projectId: string, type: string, schema: string | null) => {
    if (count >= options.typesMax) {
      projects.clear()
      count = 0
    }
    const known = projects.get(projectId) ?? new Map<string, string | null>()
    projects.set(projectId, known)
    known.set(type, schema)
    count += 1
  }

  const load = async (projectId: string, type: string): Promise<string | null> => {
    const commitCountBefore = commitCount
    const definition = await effectiveEventType(options.storage, projectId, type)
    const schema = definition?.schema ?? null
    if (commitCount === commitCountBefore) remember(projectId, type, schema)
    return schema
  }

  return {
    schemaOf(projectId, type) {
      const known = projects.get(projectId)?.get(type)
      return known === undefined ? load(projectId, type) : known
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
