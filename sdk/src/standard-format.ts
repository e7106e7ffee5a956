import type { Bytes, WebhookFormat } from './webhook-format.ts'
import { WebhookVerificationError } from './webhook-verification-error.ts'

/** Prefix of a symmetric secret in Standard Webhooks 1.0.0; what follows is standard base64. */
const secretPrefix = 'whsec_'

/** Unix seconds as senders write them; twelve digits reach the year 33658. */
const timestampPattern = /^[0-9]{1,12}$/

/** What an id of a secret may look like; safe to send back in a header. */
const secretIdPattern = /^[A-Za-z0-9_-]{1,128}$/

/**
 * Standard Webhooks 1.0.0 with symmetric signatures (`v1`): `webhook-id`, `webhook-timestamp` and
 * `webhook-signature`, beside which Countersign sends `webhook-secret-ids`.
 */
export const standardFormat: WebhookFormat = {
  keyBytes(secret) {
    const text = secret.startsWith(secretPrefix) ? secret.slice(secretPrefix.length) : secret
    return decodeBase64(text)
  },

  readClaim(header, body) {
    const id = header('webhook-id')
    const timestamp = header('webhook-timestamp')
    const signature = header('webhook-signature')
    if (!id) throw missing('webhook-id')
    if (!timestamp) throw missing('webhook-timestamp')
    if (!signature) throw missing('webhook-signature')
    // With a dot in it, the same signed bytes could be read as another id, time and body.
    if (id.includes('.')) throw new WebhookVerificationError('malformed', 'webhook-id has a dot')
    if (!timestampPattern.test(timestamp)) {
      throw new WebhookVerificationError('malformed', 'webhook-timestamp is not Unix seconds')
    }
    return {
      id,
      timestampSeconds: Number(timestamp),
      signedContent: concatenate(new TextEncoder().encode(`${id}.${timestamp}.`), body),
      signatures: signature.split(' ').map(readSignature),
      secretIds: readSecretIds(header('webhook-secret-ids')),
    }
  },

  encodeMac(mac) {
    return btoa(String.fromCharCode(...mac))
  },
}

function missing(name: string): WebhookVerificationError {
  return new WebhookVerificationError('missing_header', `${name} is missing`)
}

function readSignature(entry: string): string | null {
  return entry.startsWith('v1,') ? entry.slice('v1,'.length) : null
}

/** The ids are not signed, so they are only ever reported, and only if all look like ids. */
function readSecretIds(header: string | null): string[] {
  const ids = header === null ? [] : header.split(',').map((id) => id.trim())
  return ids.every((id) => secretIdPattern.test(id)) ? ids : []
}

/** Strict about the alphabet, unlike `atob`, which skips white space; padding may be absent. */
function decodeBase64(text: string): Bytes | null {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return null
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    return null
  }
}

function concatenate(head: Uint8Array, tail: Uint8Array): Bytes {
  const whole = new Uint8Array(head.length + tail.length)
  whole.set(head)
  whole.set(tail, head.length)
  return whole
}
