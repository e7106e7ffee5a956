import type { ActionContext } from './action-context.ts'

/** How many go in one transaction, so that a long absence does not hold up the writers. */
const forgottenAtOnceMax = 500

/** Removes answers whose Idempotency-Key is too old to be replayed; some of them hold secrets. */
export async function forgetExpiredAnswers(context: ActionContext): Promise<void> {
  for (;;) {
    const now = context.clock.now()
    const count = await context.storage.transact((tx) =>
      tx.deleteExpiredIdempotentAnswers(now, forgottenAtOnceMax),
    )
    if (count < forgottenAtOnceMax) return
  }
}
