/**
 * The native API as it is on the wire: snake_case, RFC 3339 times as text. The public camelCase
 * types derive from these (`resources.ts`); nothing here is exported from the package.
 */

export interface ListQuery {
  /** 1 to 100; 25 where absent. */
  limit?: number
  /** `next_cursor` of an earlier page. */
  cursor?: string
}

export interface Actor {
  type: 'root' | 'key' | 'portal' | 'system'
  id: string | null
  name: string | null
}

export interface FieldError {
  /** Path of the field in the request. */
  param: string
  detail: string
  code: string
}

// Projects

export interface ProjectSettings {
  secret_policy?: {
    max_age_days?: number
    action?: 'notify' | 'rotate'
    expire_current_in?: number
    complete_when?: CompleteWhen
  }
  /** Delays after the first attempt, such as `5s,5m,30m`. */
  retry_schedule?: string
  retention_days?: number
  reveal_secret_in_reads?: boolean
  /** Whether receivers are probed by themselves while a rotation is open. */
  auto_probe?: boolean
  /** What the operator lets `expire_current_in` be, in seconds. */
  rotation_bounds?: { expire_current_in_min?: number; expire_current_in_max?: number }
}

export interface Project {
  id: string
  uid: string | null
  name: string
  settings: ProjectSettings
  created_at: string
  updated_at: string
}

export interface CreateProject {
  name: string
  uid?: string | null
  settings?: ProjectSettings
}

export interface UpdateProject {
  name?: string
  uid?: string | null
  settings?: ProjectSettings
}

// API keys

export type Scope =
  | 'events.write'
  | 'events.read'
  | 'webhooks.read'
  | 'webhooks.write'
  | 'secrets.rotate'
  | 'deliveries.read'
  | 'deliveries.write'
  | 'keys.write'
  | 'audit.read'

/** A system whose clients the server answers in their own shapes. */
export type Dialect = 'mobilerun' | 'composio' | 'h-company' | 'devtune' | 'dinie'

export interface ApiKey {
  id: string
  name: string
  scopes: Scope[]
  /** The system whose shape the key has; null for a native one. */
  dialect: Dialect | null
  /** Last four characters of the key. */
  hint: string
  created_at: string
  expires_at: string | null
  revoked_at: string | null
  /** May lag behind by a minute. */
  last_used_at: string | null
}

export interface CreateApiKey {
  name: string
  /** All but `keys.write` where absent. */
  scopes?: Scope[]
  expires_at?: string | null
  /** Gives the key the shape that clients of this system know; absent: a native one. */
  dialect?: Exclude<Dialect, 'dinie'>
}

export interface CreatedApiKey extends ApiKey {
  /** The key itself, in this answer only. */
  key: string
}

export interface CreateClientCredentials extends Omit<CreateApiKey, 'dialect'> {
  dialect: 'dinie'
}

export interface CreatedClientCredentials extends ApiKey {
  client_id: string
  /** In this answer only. */
  client_secret: string
}

// Endpoints

export type EndpointState = 'active' | 'disabled'
export type EndpointHealth = 'healthy' | 'failing' | 'blocked'
export type SecretAlgorithm = 'hmac-sha256' | 'ed25519'

export interface Endpoint {
  id: string
  project_id: string
  uid: string | null
  url: string
  description: string | null
  /** Exact types, `prefix.*` or `*`. */
  event_types: string[]
  state: EndpointState
  health: EndpointHealth
  blocked_at: string | null
  blocked_reason: string | null
  signing_enabled: boolean
  /** The receiver was seen to take a delivery with a wrong signature. */
  unverifying: boolean
  format: string
  algorithm: SecretAlgorithm
  /** Custom headers; the values are masked. */
  headers: Record<string, string>
  metadata: Record<string, unknown>
  rate_limit_per_second: number | null
  created_by: Actor
  created_at: string
  updated_at: string
  last_success_at: string | null
  last_failure_at: string | null
  consecutive_failures: number
  /** The open rotation, or null. */
  rotation: Rotation | null
}

export interface CreateEndpoint {
  url: string
  uid?: string | null
  description?: string | null
  /** `["*"]` where absent. */
  event_types?: string[]
  /** `standard` where absent. */
  format?: string
  algorithm?: SecretAlgorithm
  /** A secret of your own; one is generated where absent. */
  secret?: string
  headers?: Record<string, string>
  metadata?: Record<string, unknown>
  rate_limit_per_second?: number | null
  signing_enabled?: boolean
  state?: EndpointState
}

export interface CreatedEndpoint extends Endpoint {
  /** The signing secret, in this answer only. */
  secret: string
  secret_id: string
}

export interface UpdateEndpoint {
  url?: string
  uid?: string | null
  description?: string | null
  event_types?: string[]
  format?: string
  headers?: Record<string, string>
  metadata?: Record<string, unknown>
  rate_limit_per_second?: number | null
  signing_enabled?: boolean
  /** `active` unblocks an endpoint that was blocked. */
  state?: EndpointState
}

export interface ListEndpointsQuery extends ListQuery {
  state?: EndpointState
  health?: EndpointHealth
  search?: string
}

export interface TestEndpoint {
  /** `countersign.test` where absent. */
  event_type?: string
  data?: Record<string, unknown>
}

export interface TestResult {
  delivery_id: string
  success: boolean
  status_code: number | null
  error: AttemptError | null
  duration_ms: number
}

// Secrets and rotations

/** Computed from the timestamps at the moment of asking. */
export type SecretStatus = 'staged' | 'current' | 'retiring' | 'expired' | 'revoked'

export interface Secret {
  id: string
  algorithm: SecretAlgorithm
  status: SecretStatus
  created_at: string
  activates_at: string
  expires_at: string | null
  revoked_at: string | null
  /** Last four characters of the secret. */
  hint: string
  /** First 16 hex digits of SHA-256 over the key bytes. */
  fingerprint: string
  /** May lag behind by a minute. */
  last_signed_at: string | null
}

export type RotationStatus = 'staged' | 'overlapping' | 'held' | 'completed' | 'cancelled'
export type CompletedBy = 'expiry' | 'verified' | 'manual' | 'force' | 'cut' | 'cap'
export type CompleteWhen = 'expiry' | 'verified'

/** What somebody should look at. */
export type Attention = 'cannot_parse_two' | 'not_verified' | 'claim_disputed'

export type ProbeName =
  | 'new_only'
  | 'bad_signature'
  | 'old_only'
  | 'two_signatures'
  | 'stale_timestamp'

export interface ProbeAnswer {
  at: string
  /** Null where there was no answer. */
  status_code: number | null
  error: string | null
  duration_ms: number
}

export interface ProbeFinding {
  verdict: 'pass' | 'fail' | 'inconclusive'
  /** As the probes were sent. */
  answers: ProbeAnswer[]
}

export type DrillVerdict = 'verified' | 'unverifying' | 'failed' | 'inconclusive'
export type DrillCause = 'verify' | 'drill' | 'watch'

/** What a battery of probes showed of a receiver. */
export interface Drill {
  endpoint_id: string
  at: string
  cause: DrillCause
  verdict: DrillVerdict
  /** Null where that probe was not sent. */
  probes: Record<ProbeName, ProbeFinding | null>
}

/** What is known of the receiver and the new secret of a rotation. */
export interface Evidence {
  /** The newest drill is proof. */
  verified: boolean
  verified_at: string | null
  unverifying: boolean
  drill: Drill | null
  /** Newest first. */
  earlier_drills: { at: string; cause: DrillCause; verdict: DrillVerdict }[]
  /** Which secret the receiver says it verified with; never proof by itself. */
  receiver_reported: { secret_id: string; count: number; share: number; last_at: string }[]
}

export interface RotationStep {
  at: string
  what: string
  /** Null where time alone did it. */
  actor: Actor | null
  detail: string | null
}

export interface Rotation {
  id: string
  endpoint_id: string
  status: RotationStatus
  completed_by: CompletedBy | null
  previous_secret_id: string
  new_secret_id: string
  activates_at: string
  previous_secret_expires_at: string | null
  complete_when: CompleteWhen
  /** When the window was asked to end; null where it was cut, or waits for a claim. */
  window_ends_at: string | null
  /** The hard end of a rotation that is held, or waits for proof or for a claim. */
  cap_at: string | null
  /** Since when the expiry is put off, as the receiver does not take the new secret. */
  held_at: string | null
  attention: Attention | null
  /** Secrets that stopped because a forced rotation left no room for them. */
  dropped_secret_ids: string[]
  reason: string | null
  actor: Actor
  evidence: Evidence | null
  timeline: RotationStep[]
  created_at: string
  closed_at: string | null
}

export interface RotateSecret {
  /** Seconds the current secret keeps signing, from activation; 86400 where absent, 0 cuts now. */
  expire_current_in?: number
  /** A secret of your own; one is generated where absent. */
  secret?: string
  algorithm?: SecretAlgorithm
  /** Mint now, sign only from then on; at most 30 days ahead. */
  activate_at?: string
  complete_when?: CompleteWhen
  /** Rotate although a rotation is open. */
  force?: boolean
  /** At most 500 characters, into the audit log. */
  reason?: string
  /** Compare and set: 409 `secret_changed` if another rotation came first. */
  expected_current_secret_id?: string
}

export interface RotatedSecret {
  endpoint_id: string
  /** The new secret, in this answer only. */
  secret: string
  secret_id: string
  /** Null where the previous secret was cut. */
  previous_secret_expires_at: string | null
  rotation: Rotation
}

export interface RevokePreviousSecret {
  reason?: string
}

export interface RevokedPreviousSecret {
  revoked_secret_ids: string[]
  /** The rotation that this completed, or null where none was open. */
  rotation: Rotation | null
}

export interface UpdateRotation {
  /** Seconds: from now for an overlapping rotation, from activation for a staged one. */
  expire_current_in?: number
  previous_secret_expires_at?: string
  complete_when?: CompleteWhen
}

export interface EndRotation {
  /** End it although there is no proof, or proof against it. */
  force?: boolean
  /** At most 500 characters, into the audit log. */
  reason?: string
}

// Events

export interface PublishEvent {
  type: string
  data: Record<string, unknown>
  /** An id of your own: publishing the same event again under it has no second effect. */
  id?: string
  /** When it happened; the time of acceptance where absent. */
  timestamp?: string
  /** Kept with the event, not delivered. */
  metadata?: Record<string, unknown>
}

export interface PublishedEvent {
  id: string
  type: string
  created_at: string
  delivery_count: number
}

export interface PublishBatch {
  /** 1 to 1000. */
  events: PublishEvent[]
}

export interface BatchResult {
  /** Position in the batch. */
  index: number
  /** What the single call would have answered. */
  status: number
  id?: string
  delivery_count?: number
  error?: BatchError
}

export interface BatchError {
  code: string
  title: string
  detail: string
  param?: string
  errors?: FieldError[]
}

export interface PublishBatchAnswer {
  data: BatchResult[]
}

/** An event as lists show it: without its `data`. */
export interface EventSummary {
  id: string
  type: string
  timestamp: string
  metadata: Record<string, unknown>
  created_at: string
  delivery_count: number
}

export interface Event extends EventSummary {
  /** Null once it has been expunged. */
  data: Record<string, unknown> | null
}

// Deliveries

export type DeliveryStatus = 'pending' | 'delivered' | 'failed' | 'skipped'
export type FailureReason = 'exhausted' | 'gone' | 'endpoint_deleted' | 'refused'
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

export interface Delivery {
  id: string
  endpoint_id: string
  event_id: string
  event_type: string
  status: DeliveryStatus
  failure_reason: FailureReason | null
  attempt_count: number
  next_attempt_at: string | null
  last_status_code: number | null
  last_error: AttemptError | null
  is_test: boolean
  created_at: string
  completed_at: string | null
}

export interface DeliveryWithAttempts extends Delivery {
  /** Oldest first. */
  attempts: Attempt[]
}

export interface Attempt {
  id: string
  number: number
  started_at: string
  duration_ms: number
  /** As sent; custom header values are masked, signatures are kept. */
  request: { method: string; url: string; headers: Record<string, string> }
  /** The secrets that signed, in the order of the signatures. */
  secret_ids: string[]
  response: AttemptResponse | null
  error: AttemptError | null
}

export interface AttemptResponse {
  status_code: number
  headers: Record<string, string>
  /** At most 16 KiB. */
  body: string
  body_truncated: boolean
}

export interface ListDeliveriesQuery extends ListQuery {
  /** Id or uid of an endpoint. */
  endpoint?: string
  /** Id of an event. */
  event?: string
  event_type?: string
  status?: DeliveryStatus
  since?: string
  until?: string
}

// Audit log

export interface AuditRow {
  id: string
  at: string
  /** Such as `endpoint.secret.rotated`. */
  action: string
  actor: Actor
  target: { type: string; id: string }
  reason: string | null
  request_id: string | null
  source_address: string | null
  /** What the action recorded, in its own words. */
  details: Record<string, unknown>
}

export interface ListAuditLogQuery extends ListQuery {
  /** Id of the actor. */
  actor?: string
  action?: string
  since?: string
}
