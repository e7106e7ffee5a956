import type { Endpoint } from '../core/endpoint.ts'
import type { Spike } from '../core/health.ts'
import { type Rotation, rotationState } from '../core/rotation.ts'
import { mayProbe } from '../core/rotation-watch.ts'
import type { Transaction } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'
import { applyRotationPlan, readSituation } from './apply-rotation-plan.ts'
import { judgeRotation } from './judge-rotation.ts'

/**
 * A run of deliveries was refused with 401 or 403 by a receiver that used to take them: where it
 * began inside an open window, a drill is asked for; where none may be sent, the expiry is put off
 * at once (rotation.md section 5, Hold). `endpoint` has the health that was just recorded.
 */
export async function noteSpike(
  tx: Transaction,
  context: ActionContext,
  endpoint: Endpoint,
  spike: Spike,
): Promise<void> {
  const { situation } = await readSituation(tx, context, endpoint)
  const { latest } = situation
  if (latest === null || rotationState(latest, situation.now).status !== 'overlapping') return
  // Whatever ails a receiver that refused deliveries before the window opened, it is not this. What
  // it refused before somebody ended a hold, they have judged.
  const isOlder = spike.at < Math.max(latest.activatesAt, releasedBySomebodyAt(latest))
  const isExplained = latest.attention === 'cannot_parse_two' || latest.watch.spike !== null
  if (isOlder || isExplained) return
  const rotation = { ...latest, watch: { ...latest.watch, spike } }
  if (!mayProbe(rotation, situation)) {
    await judgeRotation(tx, context, { endpoint, rotation }, { drill: null, isLook: true })
    return
  }
  const plan = { rotation, secretChanges: [], closes: null, revokedSecretIds: [] }
  await applyRotationPlan(tx, situation, plan, { isNew: false })
}

function releasedBySomebodyAt({ notes }: Rotation): number {
  return notes.findLast(({ what, actor }) => what === 'released' && actor !== null)?.at ?? 0
}
