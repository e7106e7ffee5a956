import { compileFilter } from '../../core/event-filter.ts'

/** What a subscription can enable, and in which versions of the payload (dialects.md 2.6). */
export const eventTypeCatalog = [
  {
    event_type: 'composio.trigger.message',
    description: 'A trigger has fired.',
    supported_versions: ['V1', 'V2', 'V3'],
  },
  {
    event_type: 'composio.connected_account.expired',
    description: 'A connected account has expired and must be connected anew.',
    supported_versions: ['V3'],
  },
  {
    event_type: 'composio.trigger.disabled',
    description: 'A trigger was disabled by the platform, not by a person.',
    supported_versions: ['V3'],
  },
] as const

export const publishedTypes: readonly string[] = eventTypeCatalog.map((entry) => entry.event_type)

/**
 * An endpoint's filter as a list of types, as this API has no wildcards: each wildcard shows as the
 * published types that it matches, everything else as it is.
 */
export function enabledEventsOf(eventTypes: readonly string[]): string[] {
  const entries = eventTypes.length === 0 ? ['*'] : eventTypes
  const shown = entries.flatMap((entry) =>
    entry.endsWith('*') ? publishedTypes.filter(compileFilter([entry])) : [entry],
  )
  return [...new Set(shown)]
}
