import type { SigningKey } from '../../formats/format.ts'
import { postDelivery } from '../post-delivery.ts'
import type { Signer } from '../signer.ts'
import type { Subject } from './check.ts'

/** The receiver at a URL. */
export function createSubject(options: {
  url: string
  /** Answers a number: how many events took effect. */
  effectsUrl: string | null
  signer: Signer
  secret: string
  key: SigningKey
  newKey: SigningKey | null
  eventType: string
  answerWithinMs: number
  now: () => number
  monotonic: () => number
  randomBytes: (size: number) => Uint8Array
  signal: AbortSignal
  /** Reads the text at a URL. */
  readText: (url: string) => Promise<string>
}): Subject {
  const { url, effectsUrl, signer, secret, key, newKey, eventType, answerWithinMs } = options
  const { now, monotonic, randomBytes, signal, readText } = options
  return {
    ...{ signer, key, secret, newKey, answerWithinMs, now, randomBytes },
    deliver({ data, keys = [key], signedAfterMs = 0, id } = {}) {
      const eventId = id ?? `evt_${Buffer.from(randomBytes(16)).toString('hex')}`
      const event = { id: eventId, type: eventType }
      const body = signer.body({ ...event, at: now(), data: data ?? `{"order":"${eventId}"}` })
      const headers = signer.headers({ ...event, body, at: now() + signedAfterMs, keys })
      return { body, headers }
    },
    post: (delivery, how = {}) =>
      postDelivery(url, delivery, { timeoutMs: answerWithinMs, monotonic, signal, ...how }),
    async countEffects() {
      if (effectsUrl === null) return null
      const text = (await readText(effectsUrl)).trim()
      if (/^\d{1,15}$/.test(text)) return Number(text)
      throw new Error(`${effectsUrl} must answer a whole number and nothing else.`)
    },
  }
}
