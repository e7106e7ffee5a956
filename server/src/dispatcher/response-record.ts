import type { TransportLimits } from './transport-limits.ts'

/** What is kept of a response, whole or broken off. */
export interface ReceivedResponse {
  statusCode: number
  /** Names in lower case; several values of one name are joined by `, `. */
  headers: Readonly<Record<string, string>>
  /** The first `responseBodyKeptBytes`, as sent: a content encoding is not undone. */
  body: Uint8Array
  bodyTruncated: boolean
}

/** Copies, because a chunk is a view on a read buffer that would stay alive with it. */
export class ResponseRecord {
  readonly #statusCode: number
  readonly #headers: Readonly<Record<string, string>>
  readonly #limits: TransportLimits
  #body: Uint8Array | null = null
  #length = 0
  #isTruncated = false

  constructor(
    statusCode: number,
    headers: Readonly<Record<string, string>>,
    limits: TransportLimits,
  ) {
    this.#statusCode = statusCode
    this.#headers = headers
    this.#limits = limits
  }

  append(chunk: Uint8Array): void {
    const room = this.#limits.responseBodyKeptBytes - this.#length
    const kept = chunk.length > room ? chunk.subarray(0, room) : chunk
    if (kept.length < chunk.length) this.#isTruncated = true
    if (kept.length === 0) return
    if (this.#body === null) {
      // Most responses are one chunk; a second one shows that this is not such a response.
      this.#body = new Uint8Array(kept)
    } else {
      if (this.#body.length < this.#length + kept.length) {
        const whole = new Uint8Array(this.#limits.responseBodyKeptBytes)
        whole.set(this.#body)
        this.#body = whole
      }
      this.#body.set(kept, this.#length)
    }
    this.#length += kept.length
  }

  read(): ReceivedResponse {
    const body = this.#body ?? new Uint8Array(0)
    return {
      statusCode: this.#statusCode,
      headers: this.#headers,
      body: body.length === this.#length ? body : body.slice(0, this.#length),
      bodyTruncated: this.#isTruncated,
    }
  }
}
