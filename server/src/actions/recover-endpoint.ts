import { requireScope } from '../core/authorization.ts'
import { AppError, invalidField } from '../core/errors.ts'
import type { Recovery } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'
import { iso } from './apply-rotation-plan.ts'
import { loadEndpoint } from './load.ts'
import { recordAudit } from './record-audit.ts'

export interface RecoverEndpointInput {
  since: number
  /** Absent: now. */
  until?: number | undefined
  statuses?: readonly ('failed' | 'skipped')[] | undefined
}

/**
 * Sends again what an endpoint missed, with the full retry schedule. It is noted and begun at once;
 * of many deliveries the rest follows in small steps, across a restart too.
 */
export async function recoverEndpoint(
  context: ActionContext,
  projectId: string,
  ref: string,
  input: RecoverEndpointInput,
): Promise<{ recovery: Recovery; deliveryCount: number }> {
  requireScope(context.principal, projectId, 'deliveries.write')
  const until = input.until ?? context.clock.now()
  if (input.since >= until) {
    throw invalidField('since', 'Must be before until, which is now where it is absent.')
  }
  const statuses = [...new Set(input.statuses ?? (['failed', 'skipped'] as const))]
  const { id: endpointId } = await loadEndpoint(context.storage, projectId, ref)
  const span = { endpointId, since: input.since, until }
  const counts = await context.storage.countDeliveries(projectId, span)
  const deliveryCount = statuses.reduce((sum, status) => sum + counts[status], 0)
  const recovered = await context.transact(async (tx) => {
    const endpoint = await loadEndpoint(tx, projectId, endpointId)
    if (endpoint.state === 'disabled') {
      throw new AppError('endpoint_disabled', {
        detail: `Endpoint ${endpoint.id} is disabled; set its state to active first.`,
        extra: { endpoint_id: endpoint.id },
      })
    }
    const recovery: Recovery = { ...span, statuses }
    await tx.insertRecovery(recovery)
    await recordAudit(tx, context, {
      projectId,
      action: 'endpoint.recovered',
      target: { type: 'endpoint', id: endpoint.id },
      details: { since: iso(recovery.since), until: iso(until), statuses: recovery.statuses },
    })
    return { recovery, deliveryCount }
  })
  context.wakeRecoveries()
  return recovered
}
