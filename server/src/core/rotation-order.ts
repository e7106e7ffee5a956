/**
 * Tells of the rotations of this process which of them ended before a call came in, and which while
 * it was under way. By counting, not by time: what is answered and what comes in next may share a
 * millisecond.
 */
export interface RotationOrder {
  /** The present moment. A call takes it when it comes in. */
  moment(): number
  /** Does what stores the rotation: from now until that has ended, well or not, it is under way. */
  during<T>(rotationId: string, store: () => Promise<T>): Promise<T>
  /** True where the rotation is known here and had not ended at that moment. */
  wasUnderWay(rotationId: string, moment: number): boolean
}

/**
 * Rotations that are remembered. A call that outlasts so many others on its way in is judged by what
 * the store says alone.
 */
const rotationsKnownMax = 10_000

export function createRotationOrder(): RotationOrder {
  let endedCount = 0
  const endedAs = new Map<string, number>()
  const forgetOldest = () => {
    for (const oldest of endedAs.keys()) {
      endedAs.delete(oldest)
      return
    }
  }

  return {
    moment: () => endedCount,
    async during(rotationId, store) {
      endedAs.set(rotationId, Number.POSITIVE_INFINITY)
      if (endedAs.size > rotationsKnownMax) forgetOldest()
      try {
        return await store()
      } finally {
        // Also where it failed: that its success is not known does not mean that it is not stored.
        endedCount += 1
        if (endedAs.has(rotationId)) endedAs.set(rotationId, endedCount)
      }
    },
    wasUnderWay: (rotationId, moment) => (endedAs.get(rotationId) ?? 0) > moment,
  }
}
