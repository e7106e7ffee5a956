import type { StreamItem } from '@countersign/sdk'
import type { SystemClock } from '../../clock.ts'
import { scanObject } from '../../core/json-scanner.ts'
import type { SigningKey } from '../../formats/format.ts'
import { postDelivery } from '../post-delivery.ts'
import type { Signer } from '../signer.ts'
import type { Stopping } from '../wait-until-stopped.ts'

/** What the receiver answered to an event. */
export interface Forwarded {
  event_id: string
  event_type: string
  status_code: number
  duration_ms: number
}

export interface Forwarder {
  /** Resolves once the receiver has answered; null where it has had the event before. */
  forward(item: StreamItem & { kind: 'event' }): Promise<Forwarded | null>
}

/** As an attempt of a server. */
const answerWithinMs = 15_000
const pauseMinMs = 250
const pauseMaxMs = 5_000
/** Ids of events that were forwarded; far more than come twice at a reconnect. */
const idsMax = 100_000

/** Makes what signs events and sends them to one receiver, each once. */
export function createForwarder(options: {
  url: string
  signer: Signer
  key: SigningKey
  clock: SystemClock
  stopping: Stopping
  /** Told of each time in a row that nothing answered. */
  onFailure: (error: string) => void
}): Forwarder {
  const { url, signer, key, clock, stopping, onFailure } = options
  const { signal } = stopping
  const { monotonic } = clock
  const forwardedIds = new Set<string>()
  const note = (id: string) => {
    forwardedIds.add(id)
    const [oldest] = forwardedIds
    if (forwardedIds.size > idsMax && oldest !== undefined) forwardedIds.delete(oldest)
  }
  return {
    async forward({ event, text }) {
      if (forwardedIds.has(event.id)) return null
      const { id, type, timestamp } = event
      const at = Date.parse(timestamp)
      const body = signer.body({ id, type, at, data: dataTextOf(text) })
      for (let pauseMs = pauseMinMs; ; pauseMs = Math.min(pauseMaxMs, pauseMs * 2)) {
        // Signed at each try, as the time under the signature must be that of the try.
        const headers = signer.headers({ id, type, body, at: clock.now(), keys: [key] })
        const answer = await postDelivery(
          ...([url, { body, headers }, { timeoutMs: answerWithinMs, monotonic, signal }] as const),
        )
        if (answer.statusCode !== null) {
          note(id)
          const { statusCode, durationMs } = answer
          return {
            event_id: id,
            event_type: type,
            status_code: statusCode,
            duration_ms: durationMs,
          }
        }
        onFailure(answer.error ?? '')
        await stopping.pause(pauseMs)
      }
    },
  }
}

/** The source of `data`, untouched; what was expunged is empty. */
function dataTextOf(text: string): string {
  const scanned = scanObject(text, { depthMax })
  const span = scanned.ok ? scanned.members.get('data') : undefined
  if (span === undefined) throw new Error('The server sent an event without data.')
  const data = text.slice(span.start, span.end)
  return data === 'null' ? '{}' : data
}

/** More than a server accepts. */
const depthMax = 1_000
