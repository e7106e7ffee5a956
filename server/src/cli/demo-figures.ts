/** One slice of the demo's time line. */
export interface DemoSlice {
  /** Deliveries that arrived for the first time. */
  delivered: number
  rejected: number
  /** Ids of the secrets that signed what arrived, as the deliveries themselves said. */
  secretIds: ReadonlySet<string>
}

/** What is known at one moment. */
export interface DemoTotals {
  /** Events that the server accepted. */
  published: number
  /** Of those, the ones that arrived and were verified. */
  delivered: number
  /** Requests whose signature the receiver refused. */
  rejected: number
  /** Accepted and not (yet) delivered. */
  lost: number
}

/** Counts what was accepted and what arrived, by event id, so that a duplicate hides no loss. */
export interface DemoFigures {
  published(eventId: string): void
  received(delivery: { eventId: string; secretIds: readonly string[]; isVerified: boolean }): void
  totals(): DemoTotals
  /** From the start to now; the last one is still filling. */
  slices(): readonly DemoSlice[]
}

export function createDemoFigures(options: {
  sliceMs: number
  /** Milliseconds since the start. */
  elapsedMs: () => number
}): DemoFigures {
  const { sliceMs, elapsedMs } = options
  const publishedIds = new Set<string>()
  const deliveredIds = new Set<string>()
  const slices: { delivered: number; rejected: number; secretIds: Set<string> }[] = []
  let delivered = 0
  let rejected = 0

  const currentSlice = () => {
    const index = Math.floor(elapsedMs() / sliceMs)
    while (slices.length <= index) slices.push({ delivered: 0, rejected: 0, secretIds: new Set() })
    const slice = slices.at(-1)
    if (slice === undefined) throw new Error('There is a slice for every instant.')
    return slice
  }
  return {
    published(eventId) {
      publishedIds.add(eventId)
      // A delivery may overtake the answer to its own publication.
      if (deliveredIds.has(eventId)) delivered += 1
    },
    received({ eventId, secretIds, isVerified }) {
      const slice = currentSlice()
      if (!isVerified) {
        rejected += 1
        slice.rejected += 1
        return
      }
      for (const id of secretIds) slice.secretIds.add(id)
      if (deliveredIds.has(eventId)) return
      deliveredIds.add(eventId)
      slice.delivered += 1
      if (publishedIds.has(eventId)) delivered += 1
    },
    totals() {
      const published = publishedIds.size
      return { published, delivered, rejected, lost: published - delivered }
    },
    slices() {
      currentSlice()
      return slices
    },
  }
}
