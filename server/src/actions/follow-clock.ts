import type { ActionContext } from './action-context.ts'

/** Where the store keeps the latest time that was known to be right. */
const seenKey = 'clock_seen_at'

/**
 * Lets retries keep their delays when the clock was set back by `byMs`: they were scheduled by the
 * time before, and would wait for it to come again. Returns in how many endpoints something waited.
 */
export async function hastenRetries(context: ActionContext, byMs: number): Promise<number> {
  const { storage, clock } = context
  let count = 0
  let after: string | null = null
  do {
    const now = clock.now()
    after = await storage.transact((tx) => tx.hastenDeliveries({ after, now, byMs }))
    if (after !== null) count += 1
  } while (after !== null)
  return count
}

/** The time that a process last noted; null in a store where none has. */
export async function readClockSeen({ storage }: ActionContext): Promise<number | null> {
  const value = await storage.getMeta(seenKey)
  const seenAt = value === null ? Number.NaN : Number(new TextDecoder().decode(value))
  return Number.isSafeInteger(seenAt) ? seenAt : null
}

/** Notes what time it is, so that the next start can tell a clock that was set in between. */
export async function noteClockSeen({ storage, clock }: ActionContext): Promise<void> {
  const value = new TextEncoder().encode(String(clock.now()))
  await storage.transact((tx) => tx.setMeta(seenKey, value))
}
