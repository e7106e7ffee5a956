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
