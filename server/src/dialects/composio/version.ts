/** In what the versions of Composio's API differ: not in their routes. */
export interface ComposioVersion {
  /** Most subscriptions on one page of the list. */
  listLimitMax: number
  /** Whether its contract shows the secret itself in reads. */
  readsShowSecrets: boolean
}
