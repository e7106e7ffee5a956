import { toCamelCase } from '../camel-case.ts'
import { createList, type List } from '../list.ts'
import type {
  BatchResult,
  Event,
  EventSummary,
  ListQuery,
  PublishEvent,
  PublishedEvent,
} from '../resources.ts'
import type { PostOptions, RequestOptions, Transport } from '../transport.ts'

/**
 * What happened in a project, to be delivered to its endpoints.
 *
 * @example
 * const events: Events = client.events
 */
export class Events {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Publishes an event. Once this resolves, the event and all its deliveries are durable.
   * @example
   * const { id, deliveryCount } = await client.events.publish(project, {
   *   type: 'order.paid',
   *   data: { orderId: 'ord_7', total: 1200 },
   * })
   */
  async publish(
    project: string,
    event: PublishEvent,
    options?: PostOptions,
  ): Promise<PublishedEvent> {
    const path = ['projects', project, 'events']
    const call = { method: 'POST', path, body: event, options } as const
    return toCamelCase(await this.#transport.send(call))
  }

  /**
   * Publishes 1 to 1000 events, kept in their order. Each has a result of its own: look at every
   * `status`, since some may be refused while the others are accepted.
   * @example
   * const results = await client.events.publishBatch(project, [
   *   { type: 'order.paid', data: { orderId: 'ord_7' } },
   *   { type: 'order.shipped', data: { orderId: 'ord_7' } },
   * ])
   * const refused = results.filter(({ status }) => status >= 400)
   */
  async publishBatch(
    project: string,
    events: readonly PublishEvent[],
    options?: PostOptions,
  ): Promise<BatchResult[]> {
    const path = ['projects', project, 'events', 'batch']
    const call = { method: 'POST', path, body: { events }, options } as const
    const { data } = await this.#transport.send<{ data: unknown[] }>(call)
    return toCamelCase(data)
  }

  /**
   * Lists events without their `data`, newest first.
   * @example
   * for await (const { id, type } of client.events.list(project)) console.log(id, type)
   */
  list(project: string, query?: ListQuery, options?: RequestOptions): List<EventSummary> {
    return createList<EventSummary>({
      transport: this.#transport,
      path: ['projects', project, 'events'],
      query,
      options,
    })
  }

  /**
   * Reads one event with its `data`.
   * @example
   * const { data } = await client.events.get(project, 'evt_018f…')
   */
  async get(project: string, event: string, options?: RequestOptions): Promise<Event> {
    const path = ['projects', project, 'events', event]
    return toCamelCase(await this.#transport.send({ method: 'GET', path, options }))
  }
  /**
   * Removes the `data` of an event for good, and the copies of it that were kept with attempts.
   * The event and its deliveries stay; they cannot be sent again.
   * @example
   * await client.events.expunge(project, 'evt_018f…')
   */
  async expunge(project: string, event: string, options?: RequestOptions): Promise<void> {
    const path = ['projects', project, 'events', event, 'payload']
    await this.#transport.send({ method: 'DELETE', path, options })
  }
}
