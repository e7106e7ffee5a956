import { toCamelCase } from '../camel-case.ts'
import { createList, type List } from '../list.ts'
import type { DefineEventType, EventType, ListQuery } from '../resources.ts'
import type { RequestOptions, Transport } from '../transport.ts'

/**
 * A project's own event types. They stand over those of the catalogue.
 *
 * @example
 * const eventTypes: EventTypes = client.eventTypes
 */
export class EventTypes {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Defines an event type for this project: the whole definition, so what is absent has its
   * default. With a `schema`, events whose data does not fit it are refused.
   * @example
   * await client.eventTypes.define(project, 'order.paid', {
   *   description: 'An order was paid.',
   *   schema: { type: 'object', required: ['orderId'] },
   * })
   */
  async define(
    project: string,
    name: string,
    definition: DefineEventType = {},
    options?: RequestOptions,
  ): Promise<EventType> {
    const path = ['projects', project, 'event-types', name]
    const call = { method: 'PUT', path, body: definition, options } as const
    return toCamelCase(await this.#transport.send(call))
  }

  /**
   * Lists the project's own event types, newest first. Those of the catalogue hold as well.
   * @example
   * for await (const { name, deprecated } of client.eventTypes.list(project)) console.log(name, deprecated)
   */
  list(project: string, query?: ListQuery, options?: RequestOptions): List<EventType> {
    return createList<EventType>({
      transport: this.#transport,
      path: ['projects', project, 'event-types'],
      query,
      options,
    })
  }

  /**
   * Reads the definition in force: the project's own, else the catalogue's.
   * @example
   * const { schema } = await client.eventTypes.get(project, 'order.paid')
   */
  async get(project: string, name: string, options?: RequestOptions): Promise<EventType> {
    const path = ['projects', project, 'event-types', name]
    return toCamelCase(await this.#transport.send({ method: 'GET', path, options }))
  }

  /**
   * Deletes the project's own definition. The catalogue's holds again, if it has one.
   * @example
   * await client.eventTypes.delete(project, 'order.paid')
   */
  async delete(project: string, name: string, options?: RequestOptions): Promise<void> {
    const path = ['projects', project, 'event-types', name]
    await this.#transport.send({ method: 'DELETE', path, options })
  }
}
