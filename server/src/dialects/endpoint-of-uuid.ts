import type { ActionContext } from '../actions/action-context.ts'
import { loadEndpoint, missing } from '../actions/load.ts'
import type { Endpoint } from '../core/endpoint.ts'
import { idOfUuid } from '../core/ids.ts'

/** Our id behind a UUID; throws `not_found` for what is none. */
export function endpointIdOfUuid(uuid: string): string {
  return idOfUuid('ep', uuid) ?? missing('webhook', uuid.slice(0, quotedLengthMax))
}

/** How much of what should have been an id is quoted back. */
const quotedLengthMax = 64

/** The endpoint behind a UUID; throws `not_found`. */
export function loadEndpointOfUuid(
  { storage }: ActionContext,
  projectId: string,
  uuid: string,
): Promise<Endpoint> {
  return loadEndpoint(storage, projectId, endpointIdOfUuid(uuid))
}
