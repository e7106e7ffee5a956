/** One delivery, and what a verifier has to say to it. `sdk/vectors/README.md` explains the fields. */
export interface Vector {
  name: string
  /** What the receiver holds. */
  secrets: string[]
  /** What the sender signed with, newest first; absent where the headers were changed afterwards. */
  signed_with?: string[]
  id: string | null
  /** Unix seconds; null where the format signs no time. */
  timestamp: number | null
  now: number
  body: string
  headers: Record<string, string>
  expected: { valid: true; matched_secret_index: number } | { valid: false; reason: RefusalReason }
}

export type RefusalReason =
  | 'missing_header'
  | 'malformed'
  | 'timestamp_too_old'
  | 'timestamp_too_new'
  | 'no_match'

/** The content of one file. */
export interface VectorFile {
  format: string
  description: string
  tolerance_seconds: number | null
  vectors: Vector[]
}
