import type { Bytes, HeaderReader } from './webhook-format.ts'
import { WebhookVerificationError } from './webhook-verification-error.ts'

/** Unix seconds as senders write them; twelve digits reach the year 33658. */
const unixSecondsPattern = /^[0-9]{1,12}$/

/** A MAC of SHA-256 in lower-case hex, as every sender writes it. */
const hexMacPattern = /^[0-9a-f]{64}$/

/** @throws WebhookVerificationError `missing_header` where the header is absent or empty. */
export function requireHeader(header: HeaderReader, name: string): string {
  const value = header(name)
  if (value) return value
  throw new WebhookVerificationError('missing_header', `${name} is missing`)
}

/**
 * @param name of the header that holds the text.
 * @throws WebhookVerificationError `malformed` for anything but digits.
 */
export function readUnixSeconds(text: string, name: string): number {
  if (unixSecondsPattern.test(text)) return Number(text)
  throw new WebhookVerificationError('malformed', `${name} does not tell Unix seconds`)
}

/**
 * Reads a header that holds one signature in hex, behind a prefix.
 * @throws WebhookVerificationError `missing_header`, or `malformed` for anything else.
 */
export function readHexSignature(header: HeaderReader, name: string, prefix: string): string {
  const value = requireHeader(header, name)
  const hex = value.slice(prefix.length)
  if (value.startsWith(prefix) && hexMacPattern.test(hex)) return hex
  throw new WebhookVerificationError('malformed', `${name} is not ${prefix}<64 hex digits>`)
}

/** `head` in UTF-8, and the body behind it. */
export function joinBytes(head: string, body: Uint8Array): Bytes {
  const headBytes = new TextEncoder().encode(head)
  const whole = new Uint8Array(headBytes.length + body.length)
  whole.set(headBytes)
  whole.set(body, headBytes.length)
  return whole
}
