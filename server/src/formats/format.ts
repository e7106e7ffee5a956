import type { KeyObject } from 'node:crypto'
import type { SecretAlgorithm } from '../core/secret.ts'

/** What a format needs to know of an event to write a delivery's body. */
export interface FormatEvent {
  id: string
  projectId: string
  type: string
  /** RFC 3339, as it is to appear in the body. */
  timestamp: string
  /** JSON text of `data`, byte-exact: an object. */
  data: string
  /** JSON text of the publisher's `metadata`: an object, `{}` where none was given. */
  metadata: string
}

/** What signs: derived from a secret's text once, never at a signature. */
export type KeyMaterial =
  | { algorithm: 'hmac-sha256'; keyBytes: Uint8Array }
  | { algorithm: 'ed25519'; privateKey: KeyObject }

/** A secret that signs. */
export type SigningKey = { id: string } & KeyMaterial

export interface SigningInput {
  eventId: string
  eventType: string
  /** Unix seconds of this attempt. */
  timestampSeconds: number
  /** Number of this attempt, from 1. */
  attemptNumber: number
  body: Uint8Array
  /** The signing set, newest first; empty where signing is switched off. */
  keys: readonly SigningKey[]
}

/**
 * How a delivery looks on the wire. One file per format; each is pure, so that the same input
 * always gives the same bytes.
 */
export interface Format {
  readonly name: string
  /** How many signatures one request can carry; 1 means that a rotation cannot overlap. */
  readonly signaturesMax: number
  /** The event type of a probe in this format, or null where the format cannot carry one. */
  readonly probeType: string | null
  /** Header names (lower case) that belong to the format: custom headers cannot take them. */
  readonly reservedHeaders: readonly string[]
  /** What its secrets may be. */
  readonly algorithms: readonly SecretAlgorithm[]
  /** A new HMAC secret in this format's shape. */
  generateSecret(randomBytes: (size: number) => Uint8Array): string
  /** The key bytes of an HMAC secret, or what is wrong with its shape, as a sentence. */
  readSecret(text: string): { keyBytes: Uint8Array } | { problem: string }
  /** True where the body names its delivery; where false, deliveries of one event share a body. */
  readonly isBodyPerDelivery: boolean

  /** The body, the same on every attempt of one delivery. */
  body(event: FormatEvent, deliveryId: string): string
  /** The format's own headers, signature included. */
  headers(input: SigningInput): Record<string, string>
}
