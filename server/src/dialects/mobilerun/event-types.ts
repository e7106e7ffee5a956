import type { ActionContext } from '../../actions/action-context.ts'
import { cataloguedTypes } from '../published-types.ts'

/** Where an event can be shown; here, webhooks are the only place. */
const surfaces = { feed: false, toast: false, webhook: true } as const

/** The types that Mobilerun's documents name. */
const publishedTypes = [
  { type: 'task.run.completed', description: 'A task run has completed.' },
  { type: 'task.run.failed', description: 'A task run has failed.' },
]

/** What a webhook can subscribe to, by source: the published types and those of the catalogue. */
export async function listEventTypes(context: ActionContext, projectId: string) {
  const names = publishedTypes.map(({ type }) => type)
  const own = await cataloguedTypes(context, projectId, names)
  const sources = new Map<string, { type: string; description: string; surfaces: object }[]>()
  for (const event of [...publishedTypes, ...own]) {
    const [source = ''] = event.type.split('.', 1)
    sources.set(source, [...(sources.get(source) ?? []), { ...event, surfaces }])
  }
  return {
    schemaVersion: 1,
    sources: [...sources].map(([source, events]) => ({ source, events })),
  }
}
