/** Where an event can be shown; here, webhooks are the only place. */
const surfaces = { feed: false, toast: false, webhook: true } as const

/** What a webhook can subscribe to, by source: the types that Mobilerun's documents name. */
export const eventTypeCatalog = {
  schemaVersion: 1,
  sources: [
    {
      source: 'task',
      events: [
        { type: 'task.run.completed', description: 'A task run has completed.', surfaces },
        { type: 'task.run.failed', description: 'A task run has failed.', surfaces },
      ],
    },
  ],
} as const
