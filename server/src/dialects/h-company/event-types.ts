/** What a webhook can enable, beside `*` for all (dialects.md 3.6). */
export const eventTypeCatalog = [
  { type: 'session.status_updated', description: 'A session has changed its status.' },
  {
    type: 'session.awaiting_tool_results',
    description: 'A session waits for the results of its tools.',
  },
  { type: 'session.completed', description: 'A session has completed.' },
  { type: 'session.failed', description: 'A session has failed.' },
  { type: 'session.idle', description: 'A session has nothing to do.' },
  { type: 'session.timed_out', description: 'A session has run out of time.' },
] as const

export const publishedTypes: readonly string[] = eventTypeCatalog.map(({ type }) => type)

/** What a ping sends; it cannot be enabled. */
export const pingType = 'ping'
