/** Shares the time of one worker among owners of work: next is who has used least of it. */
export interface TimeShares<Work> {
  add(owner: string, work: Work): void
  /** Null where nothing waits. */
  next(): { owner: string; work: Work } | null
  /** Counts time that the owner's work took. */
  use(owner: string, ms: number): void
}

/**
 * Start-time fair queueing: with several owners waiting, each gets the same time, however many
 * pieces its work comes in. One who was away gets no more for it, and one who has used more than
 * its share does not lose that by going away.
 */
export function createTimeShares<Work>(): TimeShares<Work> {
  const shares = new Map<string, { usedMs: number; waiting: Work[] }>()
  /** What the one served last had used: newcomers begin there. */
  let floorMs = 0

  return {
    add(owner, work) {
      const share = shares.get(owner) ?? { usedMs: floorMs, waiting: [] }
      if (share.waiting.length === 0) share.usedMs = Math.max(share.usedMs, floorMs)
      shares.set(owner, share)
      share.waiting.push(work)
    },

    next() {
      let least: { owner: string; usedMs: number; waiting: Work[] } | null = null
      for (const [owner, { usedMs, waiting }] of shares) {
        if (waiting.length === 0) {
          // Behind the floor it says no more than a newcomer's would.
          if (usedMs <= floorMs) shares.delete(owner)
        } else if (least === null || usedMs < least.usedMs) {
          least = { owner, usedMs, waiting }
        }
      }
      const work = least?.waiting.shift()
      if (least === null || work === undefined) {
        shares.clear()
        floorMs = 0
        return null
      }
      floorMs = Math.max(floorMs, least.usedMs)
      return { owner: least.owner, work }
    },

    use(owner, ms) {
      const share = shares.get(owner)
      if (share !== undefined) share.usedMs += ms
    },
  }
}
