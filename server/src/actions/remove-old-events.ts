import type { ActionContext } from './action-context.ts'

const dayMs = 86_400_000

/** Few enough that publishing and recording hardly notice a step. */
const eventsPerStepMax = 50

/**
 * Takes one step of retention in every project: removes a few of the events that are older than the
 * project keeps them. False where nothing is left to remove. Where the store can drop a stretch of
 * time as a whole, what the projects that keep events the longest have in it waits for that.
 */
export async function removeOldEvents({
  storage,
  clock,
  settings,
}: Pick<ActionContext, 'clock'> & {
  storage: Pick<ActionContext['storage'], 'listRetentions' | 'transact' | 'dropHistory'>
  settings: Pick<ActionContext['settings'], 'retentionDays'>
}): Promise<boolean> {
  const kept = (await storage.listRetentions()).map(({ id, retentionDays, oldestEventAt }) => {
    const days = retentionDays ?? settings.retentionDays
    return { id, oldestEventAt, before: clock.now() - days * dayMs }
  })
  const horizon = kept.reduce((earliest, { before }) => Math.min(earliest, before), Infinity)
  const stretchAt = Number.isFinite(horizon) ? await storage.dropHistory?.(horizon) : undefined
  let isMore = false
  for (const { id, oldestEventAt, before } of kept) {
    const until = before === horizon ? (stretchAt ?? before) : before
    if (oldestEventAt >= until) continue
    const count = await storage.transact((tx) => tx.deleteOldEvents(id, until, eventsPerStepMax))
    if (count === eventsPerStepMax) isMore = true
  }
  return isMore
}
