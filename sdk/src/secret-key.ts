import type { Bytes } from './webhook-format.ts'

/** Before the secrets of nearly all systems, whatever they make of the rest. */
export const secretPrefix = 'whsec_'

/** Standard Webhooks: the key is what the base64 after the prefix decodes to. */
export function base64Key(secret: string): Bytes | null {
  return decodeBase64(secret.startsWith(secretPrefix) ? secret.slice(secretPrefix.length) : secret)
}

/** The key is the text itself, in UTF-8, prefix and all. */
export function textKey(secret: string): Bytes | null {
  return secret === '' ? null : new TextEncoder().encode(secret)
}

/** Standard base64, or null. Strict about the alphabet, unlike `atob`, which skips white space; padding may be absent. */
export function decodeBase64(text: string): Bytes | null {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return null
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    return null
  }
}
