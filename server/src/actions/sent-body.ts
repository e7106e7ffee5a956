import type { Attempt } from '../core/delivery.ts'
import type { Endpoint } from '../core/endpoint.ts'
import type { Event } from '../core/event.ts'
import { formatOf } from '../formats/registry.ts'

/**
 * The body that an attempt carried, made anew from the event. Null where it cannot be told for sure:
 * the event is expunged, the endpoint is gone, or was changed since, when it may have had another
 * format.
 */
export function sentBody(
  endpoint: Endpoint | null,
  event: Event | null,
  deliveryId: string,
  attempt: Pick<Attempt, 'startedAt'>,
): string | null {
  if (endpoint === null || event === null || event.data === null) return null
  if (endpoint.updatedAt > attempt.startedAt) return null
  const { data } = event
  const metadata = JSON.stringify(event.metadata)
  return formatOf(endpoint.format).body({ ...event, data, metadata }, deliveryId)
}
