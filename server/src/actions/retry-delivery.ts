import { requireScope } from '../core/authorization.ts'
import type { Delivery } from '../core/delivery.ts'
import { AppError } from '../core/errors.ts'
import type { ActionContext } from './action-context.ts'
import { missing } from './load.ts'

/** Sends a delivery again, whatever became of it, with the full retry schedule. */
export async function retryDelivery(
  context: ActionContext,
  projectId: string,
  deliveryId: string,
): Promise<Delivery> {
  requireScope(context.principal, projectId, 'deliveries.write')
  return context.transact(async (tx) => {
    const delivery = await tx.getDelivery(projectId, deliveryId)
    if (delivery === null) missing('delivery', deliveryId)
    const endpoint = await tx.getEndpointById(delivery.endpointId)
    if (endpoint === null || endpoint.deletedAt !== null) {
      throw new AppError('endpoint_deleted', {
        detail: `Endpoint ${delivery.endpointId} is deleted.`,
        extra: { endpoint_id: delivery.endpointId },
      })
    }
    if (endpoint.state === 'disabled') {
      throw new AppError('endpoint_disabled', {
        detail: `Endpoint ${endpoint.id} is disabled; set its state to active first.`,
        extra: { endpoint_id: endpoint.id },
      })
    }
    const event = await tx.getEvent(projectId, delivery.eventId)
    if (event?.data === null) {
      throw new AppError('event_expunged', {
        detail: `What event ${event.id} said was removed; it cannot be sent again.`,
        extra: { event_id: event.id },
      })
    }
    // False: an attempt is under way right now, which is what was asked for.
    await tx.retryDelivery(deliveryId, context.clock.now())
    return (await tx.getDelivery(projectId, deliveryId)) ?? missing('delivery', deliveryId)
  })
}
