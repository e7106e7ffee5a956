import { toCamelCase } from '../camel-case.ts'
import { readEventStream, type StreamMessage } from '../event-stream.ts'
import type { Delivery, Event } from '../resources.ts'
import type { Transport } from '../transport.ts'

/**
 * What happened, as a stream tells it.
 *
 * @example
 * for await (const item of client.stream.follow(project)) {
 *   if (item.kind === 'delivery') console.log(item.delivery.id, item.delivery.status)
 * }
 */
export type StreamItem =
  /** `text` is the event as the server wrote it: its `data` byte for byte. */
  | { kind: 'event'; event: Event; text: string }
  /** New, or in another state than before. */
  | { kind: 'delivery'; delivery: Delivery }
  /** More had happened than the server tells of: what follows is the newest. */
  | { kind: 'gap' }

/**
 * How to follow.
 *
 * @example
 * const options: FollowOptions = { only: 'events', signal: AbortSignal.timeout(60_000) }
 */
export interface FollowOptions {
  /** One of the two alone; both where absent. */
  only?: 'events' | 'deliveries' | undefined
  /** Where to go on, from `onPosition` of an earlier call; from now where absent. */
  position?: string | undefined
  /** Told where to go on after what was read so far, to be kept over a restart. */
  onPosition?: ((position: string) => void) | undefined
  /** Told each time the stream is connected, and with the error each time that it is not. */
  onConnection?: ((error: Error | null) => void) | undefined
  /** Ends it; `follow` then throws the signal's `reason`. */
  signal?: AbortSignal | undefined
  /** Longest silence before it connects anew, in milliseconds. Default 45 000. */
  silenceMs?: number | undefined
}

/** Three times as long as the server is ever silent. */
const silenceDefaultMs = 45_000

/**
 * What happens in a project, while it happens.
 *
 * @example
 * const stream: Stream = client.stream
 */
export class Stream {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Follows a project for as long as it is read. Connects again by itself wherever the connection
   * or the server ends, and goes on where it was: everything comes at least once, so drop the ids
   * that you have had.
   *
   * @throws ApiError where the server refuses: the key may not, or there is no such project.
   * @example
   * for await (const item of client.stream.follow(project, { only: 'events' })) {
   *   if (item.kind === 'event') console.log(item.event.id, item.event.type, item.event.data)
   * }
   */
  async *follow(
    project: string,
    options: FollowOptions = {},
  ): AsyncGenerator<StreamItem, void, undefined> {
    const { only, signal, silenceMs = silenceDefaultMs, onConnection } = options
    let { position } = options
    let retries = 0
    const call = () =>
      ({
        method: 'GET',
        path: ['projects', project, 'stream'],
        query: { only },
        headers: {
          accept: 'text/event-stream',
          ...(position === undefined ? {} : { 'last-event-id': position }),
        },
        options: { signal, timeoutMs: silenceMs },
      }) as const
    for (;;) {
      try {
        const messages = readEventStream(this.#transport.open(call()), (id) => {
          // The first one comes as soon as the stream is open.
          if (retries >= 0) onConnection?.(null)
          retries = -1
          position = id
          options.onPosition?.(id)
        })
        for await (const message of messages) {
          const item = itemOf(message)
          if (item !== null) yield item
        }
        // The server ended it in good order: it stops, or the key does, which the next call tells.
        await this.#transport.wait(endedWaitMs, signal)
      } catch (error) {
        const delayMs = this.#transport.retryDelayMs(error, Math.max(0, retries))
        if (delayMs === null) throw error
        onConnection?.(error as Error)
        await this.#transport.wait(delayMs, signal)
      }
      retries = Math.max(0, retries) + 1
    }
  }
}

const endedWaitMs = 250

function itemOf({ event, data }: StreamMessage): StreamItem | null {
  switch (event) {
    case 'event':
      return { kind: 'event', event: toCamelCase<Event>(JSON.parse(data)), text: data }
    case 'delivery':
      return { kind: 'delivery', delivery: toCamelCase<Delivery>(JSON.parse(data)) }
    case 'gap':
      return { kind: 'gap' }
    default:
      // A kind that a newer server has, or the word that the key may no longer read.
      return null
  }
}
