import type { ApiKey } from '../core/api-key.ts'
import type { AuditRow } from '../core/audit.ts'
import type { Attempt, Delivery, DeliveryStatus, FailureReason } from '../core/delivery.ts'
import type { DialectName } from '../core/dialect.ts'
import type { Endpoint, EndpointCondition } from '../core/endpoint.ts'
import type { Event, NewEvent } from '../core/event.ts'
import type { Health } from '../core/health.ts'
import type { Project } from '../core/project.ts'
import type { Rotation } from '../core/rotation.ts'
import type { Secret } from '../core/secret.ts'

/**
 * The storage port. An adapter (SQLite, later PostgreSQL) promises what is written here, and
 * `storage-suite.ts` checks it.
 *
 * - Reads on `Storage` see committed data only; reads on a `Transaction` also see its own writes.
 * - Lists are newest first and stable under inserts: a page continues after the last item's sort key.
 * - Deleted projects and endpoints are found by nothing, except where a member says otherwise.
 * - Times are whole milliseconds since the epoch.
 * - Every member may throw `StorageUnavailableError`; nothing is half-done then.
 */
export interface Storage extends Reads {
  /**
   * Runs `work` in a transaction and resolves once it is durable AND every `onCommitted` listener
   * has applied the change, so that what follows an answer sees the new state (rotation.md
   * section 2). `work` may await only members of its `tx`. Calls of one event-loop turn may share
   * one commit; when `work` throws, its own writes alone are undone and the error is passed on.
   */
  transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T>

  /**
   * The hot path of publishing: stores events with all their deliveries, many calls in one commit.
   * Results in the order given. Throws `StorageOverloadedError` when the write queue is full.
   */
  acceptEvents(events: readonly NewEvent[]): Promise<AcceptedEvent[]>

  /**
   * Leases deliveries that are due, oldest first within an endpoint, at most `perEndpointMax` each,
   * none of `fullEndpointIds`. Deliveries of deleted endpoints count as due at once. No delivery is
   * leased twice at a time.
   */
  claimDue(request: ClaimRequest): Promise<ClaimedDelivery[]>

  /** Gives leases back unused: the deliveries are due again, at `notBefore` at the earliest. */
  releaseClaims(releases: readonly ClaimRelease[]): Promise<void>

  /**
   * How many deliveries there are of each status. Counts in small steps between which other work
   * goes on, so the figures may be of slightly different instants.
   */
  countDeliveries(
    projectId: string,
    filter: DeliveryCountFilter,
  ): Promise<Record<DeliveryStatus, number>>

  /** When the earliest delivery that nobody has leased becomes due; null when there is none. */
  nextDueAt(): Promise<number | null>

  /** Connects the process's consumers. Called once, before the first write. */
  connect(consumers: StorageConsumers): void

  /** Throws unless the store can be read and written and its migrations are current. */
  ping(): Promise<void>

  /** Writes what is queued, then closes. */
  close(): Promise<void>
}

export interface Reads {
  /** By id or uid. */
  getProject(ref: string): Promise<Project | null>
  listProjects(page: PageRequest): Promise<Page<Project>>

  /** The live or dead key with this hash; null also when its project is deleted. */
  findApiKeyByHash(hash: string): Promise<ApiKey | null>
  /** As `findApiKeyByHash`, by the public half of client credentials. */
  findApiKeyByClientId(clientId: string): Promise<ApiKey | null>
  /** As `findApiKeyByHash`, by id alone. */
  findApiKeyById(keyId: string): Promise<ApiKey | null>
  getApiKey(projectId: string, keyId: string): Promise<ApiKey | null>
  listApiKeys(projectId: string, page: PageRequest): Promise<Page<ApiKey>>

  /** By id or uid. */
  getEndpoint(projectId: string, ref: string): Promise<Endpoint | null>
  /** By id alone, deleted ones included: for the dispatcher. */
  getEndpointById(endpointId: string): Promise<Endpoint | null>
  listEndpoints(
    projectId: string,
    filter: EndpointFilter,
    page: PageRequest,
  ): Promise<Page<Endpoint>>
  /** A stretch of the same list for surfaces with numbered pages, or that go on after an id. */
  listEndpointsAt(
    projectId: string,
    filter: EndpointFilter,
    stretch: EndpointStretch,
  ): Promise<Endpoint[]>
  countEndpoints(projectId: string, filter?: EndpointFilter): Promise<number>
  countEndpointsByCondition(projectId: string): Promise<Record<EndpointCondition, number>>

  /** Every version, newest first (by activation, then id). Never more than a few dozen. */
  listSecrets(endpointId: string): Promise<Secret[]>

  getRotation(endpointId: string, rotationId: string): Promise<Rotation | null>
  /** The newest rotation of the endpoint, open or not. */
  latestRotation(endpointId: string): Promise<Rotation | null>
  listRotations(endpointId: string, page: PageRequest): Promise<Page<Rotation>>
  /** Rotations that no act has ended and whose window reaches beyond `now`, of every project. */
  listOpenRotations(now: number): Promise<Rotation[]>

  getEvent(projectId: string, eventId: string): Promise<Event | null>
  /** Without `data` (null in each item). */
  listEvents(projectId: string, page: PageRequest): Promise<Page<Event>>

  getDelivery(projectId: string, deliveryId: string): Promise<Delivery | null>
  listDeliveries(
    projectId: string,
    filter: DeliveryFilter,
    page: PageRequest,
  ): Promise<Page<Delivery>>
  /** A stretch of the same list, for surfaces with numbered pages. What is skipped costs time. */
  listDeliveriesAt(projectId: string, filter: DeliveryFilter, stretch: Stretch): Promise<Delivery[]>
  /** Oldest first. */
  listAttempts(deliveryId: string): Promise<Attempt[]>

  /** `actor` is an actor's id, or a type such as `root`; rows from `since` on, newest first. */
  listAuditRows(
    projectId: string,
    filter: { actor?: string; action?: string; since?: number },
    page: PageRequest,
  ): Promise<Page<AuditRow>>

  /** The kept answer under this key, unless it is older than `now` allows. */
  findIdempotentAnswer(scope: string, now: number): Promise<IdempotentAnswer | null>

  /** Announcements due at `now`, oldest first, at most `limit`. */
  listDueAnnouncements(now: number, limit: number): Promise<Announcement[]>
  nextAnnouncementAt(): Promise<number | null>

  /** A value of the store's own notebook (`master_key_check`, …). */
  getMeta(key: string): Promise<Uint8Array | null>

  /** Figures for metrics: of committed data, on a `Transaction` too. Null: nothing is unleased. */
  backlog(): Promise<{ pending: number; oldestDueAt: number | null }>
}

export interface Transaction extends Reads {
  /** Throws `StorageConflictError('project_uid')` when the uid is in use. */
  insertProject(project: Project): Promise<void>
  updateProject(project: Project): Promise<void>
  /** Hides the project and everything in it; its keys and endpoints are gone with it. */
  deleteProject(projectId: string, at: number): Promise<void>

  insertApiKey(key: ApiKey): Promise<void>
  /** Writes the mutable members: name, expiresAt, revokedAt. */
  updateApiKey(key: ApiKey): Promise<void>
  touchApiKeys(uses: readonly { id: string; at: number }[]): Promise<void>

  /** Throws `StorageConflictError('endpoint_uid')` when the uid is in use in the project. */
  insertEndpoint(endpoint: Endpoint): Promise<void>
  /** Writes every mutable member but health. */
  updateEndpoint(endpoint: Endpoint): Promise<void>
  /** Not told to `onCommitted`, except where the endpoint becomes blocked or ceases to be. */
  updateEndpointHealth(endpointId: string, health: Health): Promise<void>
  /** Hides the endpoint, revokes its live secrets and wipes every sealed value of it. */
  deleteEndpoint(endpointId: string, at: number): Promise<void>

  insertSecret(secret: Secret): Promise<void>
  updateSecretTimes(change: {
    id: string
    expiresAt?: number | null
    revokedAt?: number
  }): Promise<void>
  /** Latches secrets as seen expired; a latch is never undone. */
  latchExpiredSecrets(secretIds: readonly string[], at: number): Promise<void>
  /** As `latchExpiredSecrets`, not a change in the sense of `CommittedChanges`. */
  touchSecrets(uses: readonly { id: string; at: number }[]): Promise<void>

  insertRotation(rotation: Rotation): Promise<void>
  /** Writes the mutable members: previousSecretExpiresAt, notes, outcome. */
  updateRotation(rotation: Rotation): Promise<void>

  /** As `Storage.acceptEvents`, inside this transaction. */
  acceptEvents(events: readonly NewEvent[]): Promise<AcceptedEvent[]>
  /** Stores an event with one delivery to one endpoint, leased to the caller; filter and state are ignored. */
  createTestDelivery(event: NewEvent, endpointId: string): Promise<ClaimedDelivery>

  /**
   * Records what became of leased deliveries: appends the attempts (numbered here), moves the
   * deliveries on and ends the leases. Results under a lost lease change nothing and are reported.
   */
  recordAttempts(results: readonly AttemptResult[]): Promise<{ fencedDeliveryIds: string[] }>
  /**
   * Makes a delivery pending and due at `at` with a fresh schedule. False when it is leased right
   * now: the attempt under way goes on.
   */
  retryDelivery(deliveryId: string, at: number): Promise<boolean>

  insertAuditRow(row: AuditRow): Promise<void>

  /** Throws `StorageConflictError('idempotency_key')` when the scope already holds a live answer. */
  insertIdempotentAnswer(scope: string, answer: IdempotentAnswer): Promise<void>
  /** Removes at most `limit` answers older than `now` allows. */
  deleteExpiredIdempotentAnswers(now: number, limit: number): Promise<number>

  /** Replaces everything still to be announced about a rotation. */
  replaceAnnouncements(rotationId: string, announcements: readonly Announcement[]): Promise<void>
  deleteAnnouncement(announcement: Announcement): Promise<void>

  setMeta(key: string, value: Uint8Array): Promise<void>
}

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

export type DeliveryCountFilter = Pick<DeliveryFilter, 'endpointId' | 'eventId' | 'since' | 'until'>

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
  /** True when new announcements may be due earlier than before. */
  hasAnnouncements: boolean
  /** True when deliveries were left due in the store, so that a claim may find work. */
  hasDueDeliveries: boolean
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

/** The store cannot be read or written now: full disk, locked, gone. Nothing was stored. */
export class StorageUnavailableError extends Error {
  override readonly name = 'StorageUnavailableError'
}

/** More is queued than the store may hold in memory. Nothing was stored. */
export class StorageOverloadedError extends Error {
  override readonly name = 'StorageOverloadedError'
}

/** The store could not be opened; the message is one sentence for the operator. */
export class StorageOpenError extends Error {
  override readonly name = 'StorageOpenError'
}

/** A value that must be unique is in use. */
export class StorageConflictError extends Error {
  override readonly name = 'StorageConflictError'
  readonly constraint: 'project_uid' | 'endpoint_uid' | 'idempotency_key'

  constructor(constraint: 'project_uid' | 'endpoint_uid' | 'idempotency_key') {
    super(`Not unique: ${constraint}.`)
    this.constraint = constraint
  }
}
