/** What a webhook can subscribe to (dialects.md 4.4); there is no wildcard. */
export const publishedTypes: readonly string[] = [
  'search-tracking.completed',
  'visibility.changed',
  'action.created',
  'action.updated',
  'action.recommendation.created',
  'action.recommendation.updated',
]
