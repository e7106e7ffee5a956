import type { ActionContext } from '../../actions/action-context.ts'
import { missing } from '../../actions/load.ts'
import { sentBody } from '../../actions/sent-body.ts'
import { idOfUuid } from '../../core/ids.ts'
import { loadEndpointOfUuid } from '../endpoint-of-uuid.ts'
import { presentAttempt, presentDelivery } from './delivery.ts'

/**
 * A delivery of this webhook with all its attempts, oldest first, as its detail shows it.
 *
 * @throws AppError `not_found`, also where the delivery is another webhook's.
 */
export async function readDelivery(
  context: ActionContext,
  projectId: string,
  { id, deliveryId }: { id: string; deliveryId: string },
) {
  const { storage, principal } = context
  const endpoint = await loadEndpointOfUuid(context, projectId, id)
  const ownId = idOfUuid('dlv', deliveryId)
  const delivery = ownId === null ? null : await storage.getDelivery(projectId, ownId)
  if (delivery?.endpointId !== endpoint.id) missing('delivery', deliveryId)
  // What an event says is for those who may read events, whichever way they come to it.
  const event = principal.scopes.has('events.read')
    ? await storage.getEvent(projectId, delivery.eventId)
    : null
  const attempts = await storage.listAttempts(delivery.id)
  return {
    ...presentDelivery(delivery, endpoint),
    attempts: attempts.map((attempt) =>
      presentAttempt(attempt, sentBody(endpoint, event, delivery.id, attempt)),
    ),
  }
}
