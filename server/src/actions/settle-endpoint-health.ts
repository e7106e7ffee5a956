import type { Endpoint } from '../core/endpoint.ts'
import { nextHealth } from '../core/health.ts'
import type { Transaction } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'
import { emitOperationalEvent } from './emit-operational-event.ts'
import { noteReports } from './note-reports.ts'
import { noteSpike } from './note-spike.ts'
import { recordAudit } from './record-audit.ts'

export interface EndpointOutcome {
  succeeded: boolean
  exhausted: boolean
  /** The receiver answered 410 Gone. */
  gone: boolean
  /** Null where there was no answer. */
  statusCode: number | null
  /** Which of the request's several secrets the receiver says it verified with. */
  reportedSecretId: string | null
  at: number
}

/**
 * Moves an endpoint's health on by the outcomes that are recorded in the same transaction, and
 * disables it where the rules of delivery.md ask for that.
 */
export async function settleEndpointHealth(
  tx: Transaction,
  context: ActionContext,
  endpointId: string,
  outcomes: readonly EndpointOutcome[],
): Promise<void> {
  const endpoint = await tx.getEndpointById(endpointId)
  if (endpoint === null || endpoint.deletedAt !== null) return
  const { health, transition, spike } = nextHealth(endpoint, outcomes, {
    blockAfterMs: context.settings.blockAfterMs,
  })
  await tx.updateEndpointHealth(endpointId, health)
  await noteReports(tx, endpointId, outcomes)
  if (spike !== null) await noteSpike(tx, context, { ...endpoint, ...health }, spike)
  if (endpoint.state === 'disabled') return

  if (outcomes.some((outcome) => outcome.gone)) {
    await disable(tx, context, { ...endpoint, ...health }, 'The receiver answered 410 Gone.')
  } else if (transition === 'blocked') {
    const hours = Math.round(context.settings.blockAfterMs / 3_600_000)
    const reason = `Nothing was delivered for ${hours} hours (${health.consecutiveFailures} failures in a row).`
    await disable(tx, context, { ...endpoint, ...health }, reason)
  } else if (transition === 'recovered') {
    await emitOperationalEvent(tx, context, endpoint.projectId, 'endpoint.recovered', {
      endpoint_id: endpointId,
    })
  }
}

async function disable(
  tx: Transaction,
  context: ActionContext,
  endpoint: Endpoint,
  reason: string,
): Promise<void> {
  const now = context.clock.now()
  await tx.updateEndpoint({
    ...endpoint,
    state: 'disabled',
    blockedAt: now,
    blockedReason: reason,
    updatedAt: now,
  })
  await tx.updateEndpointHealth(endpoint.id, { ...endpoint, health: 'blocked' })
  await recordAudit(tx, context, {
    projectId: endpoint.projectId,
    action: 'endpoint.disabled',
    target: { type: 'endpoint', id: endpoint.id },
    reason,
    details: { consecutive_failures: endpoint.consecutiveFailures },
  })
  await emitOperationalEvent(tx, context, endpoint.projectId, 'endpoint.disabled', {
    endpoint_id: endpoint.id,
    reason,
  })
}
