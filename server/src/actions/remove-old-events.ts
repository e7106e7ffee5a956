import type { ActionContext } from './action-context.ts'

const dayMs = 86_400_000

/** Few enough that publishing and recording hardly notice a step. */
const eventsPerStepMax = 50

/**
 * Takes one step of retention in every project: removes a few of the events that are older than the
 * project keeps them. False where nothing is left to remove.
 */
export async function removeOldEvents({
  storage,
  clock,
  settings,
}: ActionContext): Promise<boolean> {
  let isMore = false
  for (const { id, retentionDays, oldestEventAt } of await storage.listRetentions()) {
    const days = retentionDays ?? settings.retentionDays
    const before = clock.now() - days * dayMs
    if (oldestEventAt >= before) continue
    const count = await storage.transact((tx) => tx.deleteOldEvents(id, before, eventsPerStepMax))
    if (count === eventsPerStepMax) isMore = true
  }
  return isMore
}
