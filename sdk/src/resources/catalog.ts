import { toCamelCase } from '../camel-case.ts'
import { createList, type List } from '../list.ts'
import type { DefineEventType, EventType, ListQuery } from '../resources.ts'
import type { RequestOptions, Transport } from '../transport.ts'

/**
 * The event types of all projects. Needs the root key.
 *
 * @example
 * const catalog: Catalog = client.catalog
 */
export class Catalog {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Defines an event type for all projects: the whole definition, so what is absent has its
   * default. With a `schema`, events whose data does not fit it are refused.
   * @example
   * await client.catalog.define('order.paid', {
   *   description: 'An order was paid.',
   *   schema: { type: 'object', required: ['orderId'] },
   * })
   */
  async define(
    name: string,
    definition: DefineEventType = {},
    options?: RequestOptions,
  ): Promise<EventType> {
    const path = ['catalog', 'event-types', name]
    const call = { method: 'PUT', path, body: definition, options } as const
    return toCamelCase(await this.#transport.send(call))
  }

  /**
   * Lists the catalogue, newest first.
   * @example
   * for await (const { name, deprecated } of client.catalog.list()) console.log(name, deprecated)
   */
  list(query?: ListQuery, options?: RequestOptions): List<EventType> {
    return createList<EventType>({
      transport: this.#transport,
      path: ['catalog', 'event-types'],
      query,
      options,
    })
  }

  /**
   * Reads an event type of the catalogue.
   * @example
   * const { schema } = await client.catalog.get('order.paid')
   */
  async get(name: string, options?: RequestOptions): Promise<EventType> {
    const path = ['catalog', 'event-types', name]
    return toCamelCase(await this.#transport.send({ method: 'GET', path, options }))
  }

  /**
   * Takes an event type out of the catalogue. Its events are accepted, their data unchecked.
   * @example
   * await client.catalog.delete('order.paid')
   */
  async delete(name: string, options?: RequestOptions): Promise<void> {
    const path = ['catalog', 'event-types', name]
    await this.#transport.send({ method: 'DELETE', path, options })
  }
}
