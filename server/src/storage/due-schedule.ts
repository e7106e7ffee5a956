/** An endpoint that has deliveries nobody has leased. */
export interface DueEndpoint {
  readonly endpointId: string
  readonly endpointSeq: number
  /** When its earliest such delivery is due: every pending one that is due earlier is leased. */
  dueAt: number
  /** Not claimed before this time, whatever is due. */
  notBefore: number
  /** Since when it is deleted: everything it has is due from then on. */
  deletedAt: number | null
}

/**
 * The endpoints that have something to claim, earliest first: a binary heap that knows where each
 * endpoint stands. A dead endpoint with 100,000 pending deliveries is one entry, looked at when its
 * earliest is due.
 */
export interface DueSchedule {
  get(endpointId: string): DueEndpoint | undefined
  /** Puts the endpoint in, or to its new place after a change. */
  put(endpoint: DueEndpoint): void
  remove(endpointId: string): void
  first(): DueEndpoint | undefined
  /** When the one that is due longest is due, held or not; null for none. Looks at every endpoint. */
  oldestDueAt(): number | null
}

/** From when on a claim may take from the endpoint. */
export function readyAt(endpoint: DueEndpoint): number {
  if (endpoint.deletedAt !== null) return Math.min(endpoint.dueAt, endpoint.deletedAt)
  return Math.max(endpoint.dueAt, endpoint.notBefore)
}

export function createDueSchedule(): DueSchedule {
  const heap: { key: number; endpoint: DueEndpoint }[] = []
  const places = new Map<string, number>()

  function place(node: { key: number; endpoint: DueEndpoint }, index: number): void {
    heap[index] = node
    places.set(node.endpoint.endpointId, index)
  }

  function settle(start: number): void {
    const node = heap[start]
    if (node === undefined) return
    let index = start
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]
      if (above === undefined || above.key <= node.key) break
      place(above, index)
      index = parent
    }
    while (true) {
      const left = 2 * index + 1
      const right = left + 1
      const child = (heap[right]?.key ?? Infinity) < (heap[left]?.key ?? Infinity) ? right : left
      const below = heap[child]
      if (below === undefined || below.key >= node.key) break
      place(below, index)
      index = child
    }
    place(node, index)
  }

  return {
    get(endpointId) {
      const index = places.get(endpointId)
      return index === undefined ? undefined : heap[index]?.endpoint
    },
    put(endpoint) {
      const index = places.get(endpoint.endpointId) ?? heap.length
      heap[index] = { key: readyAt(endpoint), endpoint }
      settle(index)
    },
    remove(endpointId) {
      const index = places.get(endpointId)
      if (index === undefined) return
      places.delete(endpointId)
      const last = heap.pop()
      if (last === undefined || index === heap.length) return
      heap[index] = last
      settle(index)
    },
    first: () => heap[0]?.endpoint,
    oldestDueAt() {
      if (heap.length === 0) return null
      return heap.reduce((oldest, { endpoint }) => Math.min(oldest, endpoint.dueAt), Infinity)
    },
  }
}
