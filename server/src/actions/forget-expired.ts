import type { Transaction } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'

/** How many go in one transaction, so that a long absence does not hold up the writers. */
const forgottenAtOnceMax = 500

/** How long a portal session that is over can still be found. */
const endedSessionsKeptMs = 7 * 86_400_000

/**
 * Removes answers whose Idempotency-Key is too old to be replayed, some of which hold secrets, and
 * portal sessions that are long over.
 */
export async function forgetExpired(context: ActionContext): Promise<void> {
  const now = context.clock.now()
  await inSteps(context, (tx) => tx.deleteExpiredIdempotentAnswers(now, forgottenAtOnceMax))
  const before = now - endedSessionsKeptMs
  await inSteps(context, (tx) => tx.deleteOldPortalSessions(before, forgottenAtOnceMax))
}

async function inSteps(
  { storage }: ActionContext,
  step: (tx: Transaction) => Promise<number>,
): Promise<void> {
  let count: number
  do count = await storage.transact(step)
  while (count === forgottenAtOnceMax)
}
