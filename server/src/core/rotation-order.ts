/**
 * Tells of the rotations of this process which of them ended before a call came in, and which while
 * it was under way. By counting, not by time: what is answered and what comes in next may share a
 * millisecond.
 */
export interface RotationOrder {
  /** The present moment. A call takes it when it comes in. */
  moment(): number
  /**
   * Does what stores the rotation: from now until this has ended, well or not, it is under way. Where
   * a caller waits for the answer, that is a little after it is stored.
   */
  during<T>(rotationId: string, hasCaller: boolean, store: () => Promise<T>): Promise<T>
  /** True where the rotation is known here and had not ended at that moment. */
  wasUnderWay(rotationId: string, moment: number): boolean
}

/**
 * Rotations that are remembered. A call that outlasts so many others on its way in is judged by what
 * the store says alone.
 */
const rotationsKnownMax = 10_000

/**
 * How long an answer is held back: until no call has come for so long, and so often at most. Calls
 * that were sent together arrive one by one, each on its own connection, and a busy process reads the
 * last of them when the first is stored already. What is read before the answer has left was not sent
 * because of it.
 */
const lateCallsMs = 50
const holdsMax = 4

export function createRotationOrder(options: {
  /** Resolves after so many milliseconds. */
  pause: (ms: number) => Promise<unknown>
}): RotationOrder {
  let endedCount = 0
  let begunCount = 0
  const endedAs = new Map<string, number>()
  const forgetOldest = () => {
    for (const oldest of endedAs.keys()) {
      endedAs.delete(oldest)
      return
    }
  }

  const awaitLateCalls = async () => {
    for (let holds = 1, seen = -1; holds <= holdsMax && seen !== begunCount; holds++) {
      seen = begunCount
      await options.pause(lateCallsMs)
    }
  }

  return {
    moment: () => endedCount,
    async during(rotationId, hasCaller, store) {
      begunCount += 1
      endedAs.set(rotationId, Number.POSITIVE_INFINITY)
      if (endedAs.size > rotationsKnownMax) forgetOldest()
      try {
        const stored = await store()
        if (hasCaller) await awaitLateCalls()
        return stored
      } finally {
        // Also where it failed: that its success is not known does not mean that it is not stored.
        endedCount += 1
        if (endedAs.has(rotationId)) endedAs.set(rotationId, endedCount)
      }
    },
    wasUnderWay: (rotationId, moment) => (endedAs.get(rotationId) ?? 0) > moment,
  }
}
