import type { ActionContext } from './action-context.ts'

/** Few enough that publishing and recording hardly notice a step. */
const deliveriesPerStepMax = 200

/** Takes the next step of what is being recovered; false where nothing is left. */
export async function continueRecoveries({ storage, clock }: ActionContext): Promise<boolean> {
  const count = await storage.transact((tx) =>
    tx.continueRecoveries(clock.now(), deliveriesPerStepMax),
  )
  return count !== null
}
