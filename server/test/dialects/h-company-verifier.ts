import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Received } from '../support/receiver.ts'

const toleranceSeconds = 300

/**
 * Whether a receiver that holds this secret takes a request: written from the description of the
 * signature alone (dialects.md 3.4), and from no code of ours.
 */
export function isSignedWith(
  { headers, body, at }: Pick<Received, 'headers' | 'body' | 'at'>,
  secret: string,
): boolean {
  const timestamp = String(headers['x-h-webhook-timestamp'])
  if (!/^\d+$/.test(timestamp)) return false
  if (Math.abs(at / 1000 - Number(timestamp)) > toleranceSeconds) return false
  const mac = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
  const given = Buffer.from(String(headers['x-h-webhook-signature']))
  const expected = Buffer.from(`sha256=${mac}`)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false
  const { type, id, data } = JSON.parse(body) as Record<string, unknown>
  const isText = typeof type === 'string' && typeof id === 'string'
  return isText && typeof data === 'object' && data !== null
}
