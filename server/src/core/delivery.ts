export const deliveryStatuses = ['pending', 'delivered', 'failed', 'skipped'] as const
export type DeliveryStatus = (typeof deliveryStatuses)[number]

export type FailureReason = 'exhausted' | 'gone' | 'endpoint_deleted' | 'refused'

/** Why an attempt did not succeed: the closed list of delivery.md. */
export type AttemptError =
  | 'dns'
  | 'refused_address'
  | 'connect'
  | 'tls'
  | 'timeout'
  | 'reset'
  | 'response_too_large'
  | 'redirect'
  | 'http_status'

/** One event on its way to one endpoint. */
export interface Delivery {
  id: string
  projectId: string
  endpointId: string
  eventId: string
  eventType: string
  /** The event's own time, in the publisher's text. */
  eventTimestamp: string
  status: DeliveryStatus
  failureReason: FailureReason | null
  attemptCount: number
  /** Attempts since the schedule last began: a manual retry starts the schedule anew. */
  seriesAttemptCount: number
  /** When the next attempt is due; null once the status is final. */
  nextAttemptAt: number | null
  lastStatusCode: number | null
  lastError: AttemptError | null
  /** How long the last recorded attempt took; null where there was none. */
  lastDurationMs: number | null
  isTest: boolean
  createdAt: number
  completedAt: number | null
}

/** One HTTP request made for a delivery; immutable once recorded. */
export interface Attempt {
  id: string
  number: number
  startedAt: number
  durationMs: number
  request: { method: string; url: string; headers: Record<string, string> }
  /** The secrets that signed, in the order of the signatures. */
  secretIds: string[]
  response: AttemptResponse | null
  error: AttemptError | null
  /** For a person: what lies behind `error`. Never holds a secret. */
  errorDetail: string | null
}

export interface AttemptResponse {
  statusCode: number
  headers: Record<string, string>
  /** At most 16 KiB, as text; bytes that are not UTF-8 are replaced. */
  body: string
  bodyTruncated: boolean
}
