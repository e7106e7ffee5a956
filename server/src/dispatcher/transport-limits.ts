import { limits } from '../core/limits.ts'

/** Every bound of outgoing HTTP that is not an option of the operator. */
export const transportLimits = {
  signatureAgeMaxMs: limits.signatureAgeMaxMs,
  responseBodyKeptBytes: limits.responseBodyKeptBytes,
  /** Of one response on the wire: status line, headers, chunk framing and interim responses too. */
  responseReadBytesMax: limits.responseBodyReadBytesMax,
  /** Names and values of one response head, and of its trailers. */
  responseHeadBytesMax: 16 * 1024,
  responseHeadersKeptMax: 128,
  errorDetailLengthMax: 300,

  // Connections
  idleConnectionsPerOriginMax: 256,
  idleConnectionsMax: 1_024,
  /** Below the 5 s after which the commonest server closes an idle connection. */
  connectionIdleMs: 4_000,
  /** Taken off a receiver's `Keep-Alive: timeout=`, for the time that a request travels. */
  keepAliveHintMarginMs: 1_000,
  /** So that a receiver which moves to another address is followed. */
  connectionAgeMaxMs: 5 * 60_000,

  // Connecting
  addressesTriedMax: 4,
  /** How long an address may stay silent before the next is tried beside it (RFC 8305). */
  nextAddressAfterMs: 250,

  urlsKeptMax: 4_096,
} as const

export type TransportLimits = { [name in keyof typeof transportLimits]: number }
