import { createHmac } from 'node:crypto'

/**
 * What the vectors need to know of a format. Written from the descriptions of the systems with
 * `node:crypto` alone, and with nothing of the server or the SDK, which are tested against it.
 */
export interface WireFormat {
  name: string
  description: string
  /** Whether the timestamp is signed, so that a receiver can judge the age. */
  isTimed: boolean
  /** Whether a delivery carries a signature of every secret that is in force. */
  hasSeveralSignatures: boolean
  signatureHeader: string
  /** Headers without which there is nothing to verify. */
  requiredHeaders: readonly string[]
  /** The id that a receiver is to get, or null where there is none. */
  id: string | null
  /** A secret that is obviously nobody's, in the shape of the format. */
  secret(name: string): string
  /** What the receiver holds of it, where that is not the same. */
  held?(name: string): string
  /** What stands before each entry in a list of signatures; `v1` where absent. */
  signatureVersion?: string
  /** The rule from which most mistakes come: which bytes the text of a secret stands for. */
  keyOf(secret: string): Buffer
  /** Another rule that a careless verifier may follow. */
  wrongKey: { rule: string; keyOf: (secret: string) => Buffer }
  body(data: string): string
  headers(signing: Signing): Record<string, string>
}

export interface Signing {
  timestamp: number
  body: string
  /** Newest first, with the names of the secrets. */
  keys: readonly { name: string; bytes: Buffer }[]
}

/** The bytes behind a test secret: readable, so that nobody takes it for a real one. */
export function secretBytes(name: string, size: number): Buffer {
  return Buffer.from(`countersign test vector ${name}`.padEnd(size, '.'))
}

export const base64Key = (secret: string): Buffer =>
  Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
export const textKey = (secret: string): Buffer => Buffer.from(secret)

export function mac(key: Buffer, text: string, encoding: 'base64' | 'hex'): string {
  return createHmac('sha256', key).update(text).digest(encoding)
}
