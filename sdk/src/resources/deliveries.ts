import { toCamelCase } from '../camel-case.ts'
import { createList, type List } from '../list.ts'
import type { Delivery, DeliveryWithAttempts, ListDeliveriesQuery } from '../resources.ts'
import type { PostOptions, RequestOptions, Transport } from '../transport.ts'

/**
 * Events on their way to endpoints.
 *
 * @example
 * const deliveries: Deliveries = client.deliveries
 */
export class Deliveries {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Lists deliveries, newest first.
   * @example
   * const since = new Date(Date.now() - 86_400_000)
   * for await (const delivery of client.deliveries.list(project, { status: 'failed', since })) {
   *   await client.deliveries.retry(project, delivery.id)
   * }
   */
  list(project: string, query?: ListDeliveriesQuery, options?: RequestOptions): List<Delivery> {
    return createList<Delivery>({
      transport: this.#transport,
      path: ['projects', project, 'deliveries'],
      query,
      options,
    })
  }

  /**
   * Reads one delivery with all its attempts, oldest first.
   * @example
   * const { attempts } = await client.deliveries.get(project, 'dlv_018f…')
   * console.log(attempts.at(-1)?.response?.statusCode)
   */
  async get(
    project: string,
    delivery: string,
    options?: RequestOptions,
  ): Promise<DeliveryWithAttempts> {
    const path = ['projects', project, 'deliveries', delivery]
    const call = { method: 'GET', path, options } as const
    return toCamelCase(await this.#transport.send(call))
  }

  /**
   * Sends it again, now and with the full retry schedule.
   * @example
   * const { status } = await client.deliveries.retry(project, 'dlv_018f…')
   */
  async retry(project: string, delivery: string, options?: PostOptions): Promise<Delivery> {
    const path = ['projects', project, 'deliveries', delivery, 'retry']
    return toCamelCase(await this.#transport.send({ method: 'POST', path, options }))
  }
}
