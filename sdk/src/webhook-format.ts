/**
 * How one format of delivery is read by a receiver: which headers it needs, how a secret's text
 * becomes a key, what is signed, where type and data stand. A format is one file that implements
 * this, plus its entry in `verify-webhook.ts`; the time, the secrets and the comparison are checked
 * there.
 */
export interface WebhookFormat {
  /**
   * The HMAC-SHA256 key of a secret, or null where the text is no secret of this format.
   */
  keyBytes(secret: string): Bytes | null

  /**
   * Reads what a delivery claims; nothing in it can be trusted yet.
   * @throws WebhookVerificationError `missing_header` or `malformed`, and nothing else.
   */
  readClaim(header: HeaderReader, body: Bytes): WebhookClaim

  /** Whether its deliveries may be signed with Ed25519: secrets can then be public keys. */
  readonly takesPublicKeys?: true

  /** A MAC as text, in the form in which `WebhookClaim.signatures` holds them. */
  encodeMac(mac: Bytes): string

  /**
   * Reads what a verified delivery tells.
   * @param payload the parsed body; undefined where it is empty.
   * @throws WebhookVerificationError `malformed`, and nothing else.
   */
  readContent(payload: unknown, header: HeaderReader): WebhookContent
}

/** Bytes that Web Crypto takes: never shared memory, which could change during a check. */
export type Bytes = Uint8Array<ArrayBuffer>

/** The value of a header by its lower-case name, several ones joined with `, `; null if absent. */
export type HeaderReader = (name: string) => string | null

/** What a delivery says about itself before anything is verified. */
export interface WebhookClaim {
  /** When it was signed, in Unix seconds; null where the format does not sign a time. */
  timestampSeconds: number | null
  /** The bytes that were signed. */
  signedContent: Bytes
  /**
   * In the order of the delivery: a MAC as text, an Ed25519 signature as bytes, null where an entry
   * is of a kind not known here.
   */
  signatures: (string | Bytes | null)[]
}

/** What a delivery is about. */
export interface WebhookContent {
  /** Null where the format has no id. */
  id: string | null
  type: string | null
  data: unknown
}
