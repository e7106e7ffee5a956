import { createList, type List } from '../list.ts'
import type { FleetEntry, ListFleetQuery } from '../resources.ts'
import type { RequestOptions, Transport } from '../transport.ts'

/**
 * The endpoints of all projects and the age of their secrets. Needs the root key.
 *
 * @example
 * const fleet: Fleet = client.fleet
 */
export class Fleet {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Lists endpoints, the oldest secret first.
   * @example
   * const held = client.fleet.list({ blocker: 'rotation_held' })
   * for await (const { url, rotation } of held) console.log(url, rotation?.id)
   */
  list(query?: ListFleetQuery, options?: RequestOptions): List<FleetEntry> {
    return createList<FleetEntry>({ transport: this.#transport, path: ['fleet'], query, options })
  }
}
