import { requireScope } from '../core/authorization.ts'
import type { AttemptError } from '../core/delivery.ts'
import { invalidField } from '../core/errors.ts'
import { isEventType } from '../core/event-type.ts'
import type { ActionContext } from './action-context.ts'
import { loadEndpoint } from './load.ts'
import { newEvent } from './publish-events.ts'

export interface TestResult {
  deliveryId: string
  success: boolean
  statusCode: number | null
  error: AttemptError | null
  durationMs: number
}

export const testEventType = 'countersign.test'

/** One synchronous attempt that ignores filter and state; what the receiver says is in the result. */
export async function testEndpoint(
  context: ActionContext,
  projectId: string,
  ref: string,
  input: { eventType?: string | undefined; data?: string | undefined },
): Promise<TestResult> {
  requireScope(context.principal, projectId, 'webhooks.write')
  const type = input.eventType ?? testEventType
  if (!isEventType(type)) {
    throw invalidField('event_type', 'Must be dot-separated words of letters, digits, _ and -.')
  }
  const { id: endpointId } = await loadEndpoint(context.storage, projectId, ref)
  // Before the transaction, which may be run again.
  context.probeLimiter.require(projectId, endpointId, 1)
  context.probeLimiter.take(projectId, endpointId)
  const claimed = await context.storage.transact(async (tx) => {
    const endpoint = await loadEndpoint(tx, projectId, endpointId)
    const event = newEvent(context, projectId, {
      type,
      data: input.data ?? '{"message":"This is a test from Countersign."}',
    })
    return tx.createTestDelivery(event, endpoint.id)
  })
  const attempt = await context.attemptNow(claimed)
  return context.transact(async () => ({
    deliveryId: claimed.id,
    success: attempt.succeeded,
    statusCode: attempt.statusCode,
    error: attempt.error,
    durationMs: attempt.durationMs,
  }))
}
