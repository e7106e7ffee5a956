import type { Attempt, DeliveryStatus, FailureReason } from '../core/delivery.ts'
import type { DialectName } from '../core/dialect.ts'
import type { Endpoint, EndpointCondition } from '../core/endpoint.ts'
import type { Blocker } from '../core/fleet.ts'
import type { Health } from '../core/health.ts'
import type { Secret, SecretAlgorithm } from '../core/secret.ts'

/* What goes in and out of the storage port, beside the things of `core`. */

export interface PageRequest {
  limit: number
  /** The `nextKey` of the page before; null for the first page. */
  after: string | null
}

export interface Page<T> {
  items: T[]
  hasMore: boolean
  /** Sort key of the last item, when there are more. */
  nextKey: string | null
}

/** A part of a list by position. */
export interface Stretch {
  skip: number
  limit: number
}

export interface EndpointStretch extends Stretch {
  isOldestFirst?: boolean
  /** Begins after this endpoint, which may be deleted; empty where the project never had it. */
  afterId?: string
}

export interface EndpointFilter {
  state?: 'active' | 'disabled'
  health?: Health['health']
  /** Case-insensitive part of url, description or uid. */
  search?: string
  /** With a rotation that is open at this time. */
  rotatingAt?: number
  condition?: EndpointCondition
  /** Id of the actor who created it. */
  createdById?: string
  /** Created through this dialect, or not through it. */
  dialect?: DialectName
  notDialect?: DialectName
}

export interface DeliveryFilter {
  endpointId?: string
  eventId?: string
  eventType?: string
  status?: DeliveryStatus
  /** Created at this time or later. */
  since?: number
  /** Created before this time. */
  until?: number
}

/** Endpoints for which every member that is there holds. */
export interface FleetFilter {
  now: number
  /** The age limit of the instance, where a project says nothing; null: none. */
  defaultMaxAgeDays: number | null
  projectIds?: readonly string[]
  endpointIds?: readonly string[]
  algorithm?: SecretAlgorithm
  /** The newest secret was made at this time or earlier. */
  createdUntil?: number
  isOverAge?: true
  blocker?: Blocker
}

export type DeliveryCountFilter = Pick<DeliveryFilter, 'endpointId' | 'eventId' | 'since' | 'until'>

/** Deliveries of one endpoint that are to be sent again. */
export interface Recovery {
  endpointId: string
  /** Created at this time or later, and before that one. */
  since: number
  until: number
  statuses: readonly ('failed' | 'skipped')[]
}

export interface StatsRequest {
  /** Absent: of all of the project's endpoints, deleted ones included. */
  endpointId?: string
  /** Created at this time or later, and before that one. */
  since: number
  until: number
  /** Null: no buckets. */
  bucketMs: number | null
  deliveriesMax: number
}

export interface DeliveryStats {
  counts: Record<DeliveryStatus, number>
  /** Of the last attempt of each delivery, in milliseconds; null where there was none. */
  durations: { p50: number; p95: number; p99: number } | null
  /** Oldest first, each beginning at a multiple of its length; those without deliveries left out. */
  buckets: { at: number; counts: Record<DeliveryStatus, number> }[]
  /** True where there were more deliveries than were looked at. */
  isPartial: boolean
}

export interface AcceptedEvent {
  /**
   * `duplicate`: the caller's id was seen with the same type and data: this is the first event.
   * `conflict`: it was seen with others, and nothing was stored.
   */
  status: 'accepted' | 'duplicate' | 'conflict'
  id: string
  type: string
  createdAt: number
  deliveryCount: number
}

/** The event part of a claim, shared between the deliveries of one event. */
export interface ClaimedEvent {
  id: string
  type: string
  timestamp: string
  data: string
  /** JSON text. */
  metadata: string
  createdAt: number
}

/** A delivery leased to this process. */
export interface ClaimedDelivery {
  id: string
  projectId: string
  endpointId: string
  event: ClaimedEvent
  attemptCount: number
  seriesAttemptCount: number
  isTest: boolean
  /** It is due because there is nobody to send it to any more. */
  isEndpointDeleted: boolean
  /**
   * Fencing token: a result is recorded only under the token of the lease in force. No two leases
   * that a process holds have the same.
   */
  leaseToken: number
  /** On the clock's monotonic scale, counted from before the claim was sent. */
  leaseUntilMonotonic: number
}

export interface ClaimRequest {
  limit: number
  perEndpointMax: number
  fullEndpointIds: ReadonlySet<string>
  /** Nothing of any other endpoint; absent: of every one. */
  onlyEndpointIds?: ReadonlySet<string>
  /** Endpoints that are held back, unless they are deleted: nothing is sent to those. */
  pace?: ClaimPace
}

/** Some endpoints get less, and not again at once. */
export interface ClaimPace {
  endpointIds: Pick<ReadonlySet<string>, 'has'>
  /** In place of the request's. */
  perEndpointMax: number
  /** What is left of an endpoint that something was claimed of is not claimed for so long. */
  holdMs: number
}

export interface ClaimRelease {
  deliveryId: string
  endpointId: string
  leaseToken: number
  /** The endpoint's deliveries are not claimed before this time; null: at once. */
  notBefore: number | null
}

/** What became of one leased delivery. */
export interface AttemptResult {
  deliveryId: string
  projectId: string
  endpointId: string
  leaseToken: number
  /** The request that was made; null where none was (endpoint disabled or deleted). */
  attempt: Omit<Attempt, 'number'> | null
  next:
    | { status: 'delivered' | 'skipped'; at: number }
    | { status: 'failed'; reason: FailureReason; at: number }
    | { status: 'pending'; dueAt: number }
}

export interface TransactOptions {
  /**
   * The transaction records what became of deliveries. Each of those is held under a lease, and the
   * health of an endpoint that is read stays as it is until the end; but as for everything else,
   * other transactions may come in between, and nobody waits until caches have run out.
   */
  isInterleaved?: boolean
  /**
   * Nobody is answered when it is done, so it does not wait until caches have run out: what other
   * nodes have read may be acted on for as long as ever.
   */
  isUnanswered?: boolean
}

/** An endpoint with all that signing and retrying needs. */
export interface SenderEndpointRecord {
  endpoint: Endpoint
  /** Those that are neither revoked nor seen expired, newest first. */
  secrets: Secret[]
  /** The project's own schedule; null: the operator's holds. */
  retryScheduleMs: readonly number[] | null
  /** The project wants requests of every format to name the secrets that signed. */
  secretIdsInEveryFormat: boolean
}

/** A token bucket: `burst` at once, filled up again by `perSecond`. */
export interface TokenRule {
  burst: number
  perSecond: number
}

export interface TokensTaken {
  taken: number
  /** What the bucket still holds. */
  left: number
}

export interface StorageConsumers {
  /** Absent on a node that does not dispatch: every delivery then stays due in the store. */
  handOff?: HandOff
  /** Called after each commit that touched one of these, before the writers get their answer. */
  onCommitted?(changes: CommittedChanges): Promise<void> | void
}

export interface CommittedChanges {
  /** Endpoints that were changed, or whose secrets were. */
  endpointIds: ReadonlySet<string>
  projectIds: ReadonlySet<string>
  apiKeyIds: ReadonlySet<string>
  portalSessionIds: ReadonlySet<string>
  /** Projects whose event types were changed; empty text: the catalogue was. */
  eventTypeProjectIds: ReadonlySet<string>
  /**
   * True when something may have to be announced, a rotation looked at or a campaign gone on with,
   * earlier than before.
   */
  hasAppointments: boolean
  /** True when deliveries were left due in the store, so that a claim may find work. */
  hasDueDeliveries: boolean
  /** Deliveries that got a final status without a result: stored as skipped, or expunged. */
  endedCounts: { readonly failed: number; readonly skipped: number }
}

/**
 * Lets a commit hand its new deliveries to the dispatcher in memory, leased, instead of having
 * them claimed from the store: half the CPU (performance.md, Design that won, 2).
 */
export interface HandOff {
  /** Asked inside the transaction for each delivery: is there room? A yes reserves it. */
  reserve(endpointId: string, dataBytes: number): boolean
  /** After the commit: the reserved deliveries, leased. */
  take(deliveries: readonly ClaimedDelivery[]): void
  /** The transaction was undone: the reservations are void. */
  cancel(reservations: readonly { endpointId: string; dataBytes: number }[]): void
}

/** An answer kept under an Idempotency-Key. `body` is sealed where it holds a secret. */
export interface IdempotentAnswer {
  /** SHA-256 of the request's raw body, hex. */
  bodyHash: string
  statusCode: number
  contentType: string
  /** What belongs to the answer beside its content type; no secrets. */
  headers: Readonly<Record<string, string>>
  body: Uint8Array
  isSealed: boolean
  createdAt: number
  expiresAt: number
}

export type AnnouncementKind = 'expiring_24h' | 'expiring_1h' | 'expired'

/** Something to be said at a time. Nothing depends on its being said (rotation.md section 1). */
export interface Announcement {
  at: number
  kind: AnnouncementKind
  projectId: string
  endpointId: string
  rotationId: string
  secretId: string
}

/** What a store is like, for whoever operates it. */
export type StoreCondition =
  | { kind: 'absent' }
  /** A sentence for the operator. */
  | { kind: 'unusable'; problem: string }
  | {
      kind: 'usable'
      version: number
      knownVersion: number
      newestEventAt: number | null
      /** The known text that the first start sealed; null where none did. */
      masterKeyCheck: Uint8Array | null
    }
