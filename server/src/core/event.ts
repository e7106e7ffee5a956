/** One thing that happened, published to a project; immutable. Its id is the `webhook-id`. */
export interface Event {
  id: string
  projectId: string
  type: string
  /** RFC 3339, the publisher's own text or the time of acceptance; delivered byte for byte. */
  timestamp: string
  metadata: Record<string, unknown>
  /** JSON text of `data`, byte-exact; null once it has been expunged. */
  data: string | null
  deliveryCount: number
  createdAt: number
}

/** What the store needs to accept one event. */
export interface NewEvent {
  id: string
  /** True where the caller chose the id: only then is it checked against earlier ones. */
  hasCallerId: boolean
  projectId: string
  type: string
  timestamp: string
  metadata: Record<string, unknown>
  data: string
  createdAt: number
}
