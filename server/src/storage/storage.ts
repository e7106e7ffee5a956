import type { ApiKey } from '../core/api-key.ts'
import type { AuditRow } from '../core/audit.ts'
import type {
  Campaign,
  CampaignEndpoint,
  CampaignEndpointState,
  CampaignProgress,
} from '../core/campaign.ts'
import type { ClaimLink } from '../core/claim-link.ts'
import type { Attempt, Delivery, DeliveryStatus } from '../core/delivery.ts'
import type { Endpoint, EndpointCondition } from '../core/endpoint.ts'
import type { Event, NewEvent } from '../core/event.ts'
import type { EventTypeDefinition } from '../core/event-type-definition.ts'
import type { FleetEntry } from '../core/fleet.ts'
import type { Health } from '../core/health.ts'
import type { PortalSession } from '../core/portal-session.ts'
import type { Project } from '../core/project.ts'
import type { ReportedSecret, Rotation } from '../core/rotation.ts'
import type { Secret } from '../core/secret.ts'
import type {
  AcceptedEvent,
  Announcement,
  AttemptResult,
  ClaimedDelivery,
  ClaimRelease,
  ClaimRequest,
  DeliveryCountFilter,
  DeliveryFilter,
  DeliveryStats,
  EndpointFilter,
  EndpointStretch,
  FleetFilter,
  IdempotentAnswer,
  Page,
  PageRequest,
  Recovery,
  SenderEndpointRecord,
  StatsRequest,
  StorageConsumers,
  Stretch,
  TokenRule,
  TokensTaken,
  TransactOptions,
} from './storage-records.ts'

export * from './storage-errors.ts'
export type * from './storage-records.ts'

/**
 * The storage port. An adapter (SQLite, PostgreSQL) promises what is written here, and
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
   * For how long other processes on this store may act on what they have read: 0 where there is
   * none. `transact` answers only when what it changed about endpoints is that old, so windows that
   * count from the answer begin that much after the commit (rotation.md section 2).
   */
  readonly cacheTtlMs: number

  /** What processes on this store share beside its data; null where there is only ever one. */
  readonly cluster: Cluster | null

  /**
   * Runs `work` in a transaction and resolves once it is durable AND every `onCommitted` listener
   * has applied the change, so that what follows an answer sees the new state (rotation.md
   * section 2). `work` may await only members of its `tx`. Calls of one event-loop turn may share
   * one commit; when `work` throws, its own writes alone are undone and the error is passed on.
   * Where several nodes write, `work` may be run again from its beginning, as it met with others.
   */
  transact<T>(work: (tx: Transaction) => Promise<T>, options?: TransactOptions): Promise<T>

  /**
   * The hot path of publishing: stores events with all their deliveries, many calls in one commit.
   * Results in the order given. Throws `StorageOverloadedError` when the write queue is full.
   */
  acceptEvents(events: readonly NewEvent[]): Promise<AcceptedEvent[]>

  /**
   * Leases deliveries that are due, oldest first within an endpoint, at most `perEndpointMax` each,
   * none of `fullEndpointIds`, and of some no more than `pace` allows. Deliveries of deleted
   * endpoints count as due at once. No delivery is leased twice at a time.
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

  /**
   * What became of the deliveries of an endpoint or of the project, and how long the attempts took.
   * Read in small steps, as `countDeliveries`; of more than `deliveriesMax`, the newest.
   */
  deliveryStats(projectId: string, request: StatsRequest): Promise<DeliveryStats>

  /** When the earliest delivery that nobody has leased becomes due; null when there is none. */
  nextDueAt(): Promise<number | null>

  /**
   * Removes at once, in every project, what was accepted before `before`, as far as it lies apart
   * from what is younger and from what is pending. Absent where nothing lies apart. Returns when the
   * stretch of time began in which `before` lies: that goes with its last event; what is older and
   * still there is for `deleteOldEvents`.
   */
  dropHistory?(before: number): Promise<number>

  /** Connects the process's consumers. Called once, before the first write. */
  connect(consumers: StorageConsumers): void

  /** Throws unless the store can be read and written and its migrations are current. */
  ping(): Promise<void>

  /** Writes what is queued, then closes. */
  close(): Promise<void>
}

/** What several processes on one store have in common. Nothing here is part of a transaction. */
export interface Cluster {
  /** The time by the store's clock: milliseconds since the epoch, to a fraction. */
  now(): Promise<number>
  /**
   * True where this process is the one to do a job for the next `limits.leadMs`: it has the lead
   * already, or nobody has. To be asked again before each step.
   */
  tryLead(job: string): Promise<boolean>
  /** Gives up what this process leads, so that another need not wait for its end. */
  endLeads(): Promise<void>
  /** Takes as many as there are of `wanted` tokens from a bucket that all processes share. */
  takeTokens(bucket: string, rule: TokenRule, wanted: number): Promise<TokensTaken>
  /** Removes what is known of buckets that have long been full; to be called now and then. */
  forgetTokens(): Promise<void>
}

export interface Reads {
  /** By id or uid. */
  getProject(ref: string): Promise<Project | null>
  listProjects(page: PageRequest): Promise<Page<Project>>
  /** Every project that has events, deleted ones included: how long it keeps them, and the oldest. */
  listRetentions(): Promise<{ id: string; retentionDays: number | null; oldestEventAt: number }[]>

  /** The key, live or dead, whose value or previous value has this hash; null also when its project is deleted. */
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
  /**
   * What sending to these endpoints takes, deleted ones included, in no order; what does not exist
   * is left out. Nothing of it was read before the call.
   */
  listSenderEndpoints(endpointIds: readonly string[]): Promise<SenderEndpointRecord[]>
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

  /** What is defined at this level alone: of the project, or null for the catalogue. */
  getEventType(projectId: string | null, name: string): Promise<EventTypeDefinition | null>
  listEventTypes(projectId: string | null, page: PageRequest): Promise<Page<EventTypeDefinition>>

  /** As `findApiKeyByHash`. */
  findPortalSessionByHash(hash: string): Promise<PortalSession | null>
  getPortalSession(projectId: string, sessionId: string): Promise<PortalSession | null>

  getRotation(endpointId: string, rotationId: string): Promise<Rotation | null>
  /** The newest rotation of the endpoint, open or not. */
  latestRotation(endpointId: string): Promise<Rotation | null>
  listRotations(endpointId: string, page: PageRequest): Promise<Page<Rotation>>
  /** Rotations that no act has ended and whose window reaches beyond `now`, of every project. */
  listOpenRotations(now: number): Promise<Rotation[]>
  countOpenRotations(now: number): Promise<{ open: number; held: number }>
  /** Rotations whose `watch.nextAt` has come and that no act has ended, the longest due first. */
  listDueLooks(now: number, limit: number): Promise<{ endpointId: string; rotationId: string }[]>
  nextLookAt(): Promise<number | null>

  /** By the SHA-256 of its token; also one that was used. */
  findClaimLink(hash: string): Promise<ClaimLink | null>
  /** The one of a rotation. */
  getClaimLink(rotationId: string): Promise<ClaimLink | null>

  /** Every endpoint of every project with its newest secret, the oldest secret first. */
  listFleet(filter: FleetFilter, page: PageRequest): Promise<Page<FleetEntry>>
  /** How many secrets are over their age. */
  countOverAge(options: { now: number; defaultMaxAgeDays: number | null }): Promise<number>

  getCampaign(campaignId: string): Promise<Campaign | null>
  listCampaigns(page: PageRequest): Promise<Page<Campaign>>
  /** Running ones whose `nextAt` has come, the longest due first. */
  listDueCampaigns(now: number, limit: number): Promise<Campaign[]>
  getCampaignEndpoint(campaignId: string, endpointId: string): Promise<CampaignEndpoint | null>
  listCampaignEndpoints(
    campaignId: string,
    filter: { state?: CampaignEndpointState },
    page: PageRequest,
  ): Promise<Page<CampaignEndpoint>>
  /** Pending ones, the oldest secret first; then blocked ones that are to be tried again. */
  listCampaignWork(campaignId: string, now: number, limit: number): Promise<CampaignEndpoint[]>
  campaignProgress(campaignId: string, now: number): Promise<CampaignProgress>

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
  /** Writes the mutable members: name, the hashes with hint and time, expiresAt, revokedAt. */
  updateApiKey(key: ApiKey): Promise<void>
  touchApiKeys(uses: readonly { id: string; at: number }[]): Promise<void>

  /** Throws `StorageConflictError('endpoint_uid')` when the uid is in use in the project. */
  insertEndpoint(endpoint: Endpoint): Promise<void>
  /** Writes every mutable member but health. */
  updateEndpoint(endpoint: Endpoint): Promise<void>
  /** Not told to `onCommitted`, except where the endpoint becomes blocked or ceases to be. */
  updateEndpointHealth(endpointId: string, health: Health): Promise<void>
  /** Not told to `onCommitted`: nothing that is sent depends on it. Null: it is so no longer. */
  markUnverifying(endpointId: string, since: number | null): Promise<void>
  /** Hides the endpoint, revokes its live secrets and wipes every sealed value of it. */
  deleteEndpoint(endpointId: string, at: number): Promise<void>

  /** Defines, or replaces what is defined at the same level; `createdAt` stays the first one. */
  putEventType(definition: EventTypeDefinition): Promise<void>
  /** False where nothing was defined at this level. */
  deleteEventType(projectId: string | null, name: string): Promise<boolean>

  insertPortalSession(session: PortalSession): Promise<void>
  revokePortalSession(sessionId: string, at: number): Promise<void>
  /** Removes at most `limit` sessions that ended before `before`. */
  deleteOldPortalSessions(before: number, limit: number): Promise<number>

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

  /** A campaign rotates an endpoint once: another attempt to insert such a rotation throws. */
  insertRotation(rotation: Rotation): Promise<void>
  /**
   * Writes the mutable members: those that an open window can change (its ends, hold, attention,
   * evidence, watch), notes and outcome. Not `reported`.
   */
  updateRotation(rotation: Rotation): Promise<void>
  /** Stores the link in the place of the one that the rotation had. */
  putClaimLink(link: ClaimLink): Promise<void>
  /** Adds to `reported` of a rotation. */
  addReportedSecrets(rotationId: string, reports: readonly ReportedSecret[]): Promise<void>

  /** Notes when the policy told of the secret, or tried to rotate it. */
  noteOverAge(secretId: string, at: number): Promise<void>

  /** With a pending row for each endpoint of `filter`, as the fleet is now; returns how many. */
  insertCampaign(campaign: Campaign, filter: FleetFilter): Promise<number>
  /** Writes the mutable members: status, nextAt, updatedAt, closedAt. */
  updateCampaign(campaign: Campaign): Promise<void>
  updateCampaignEndpoint(endpoint: CampaignEndpoint): Promise<void>

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

  /**
   * For a clock that was set back by `byMs`: makes the waiting deliveries of one endpoint due that
   * much earlier, but not before `now`. Takes the first endpoint after the one that the call before
   * returned (null: from the beginning); null where none is left.
   */
  hastenDeliveries(options: {
    after: string | null
    now: number
    byMs: number
  }): Promise<string | null>

  /**
   * Notes that the endpoint's deliveries of these statuses, created in this span, are to be sent
   * again; `continueRecoveries` does it.
   */
  insertRecovery(recovery: Recovery): Promise<void>
  /**
   * Goes on with the oldest recovery: makes at most `limit` deliveries pending and due at `at`, each
   * with a fresh schedule. Returns how many; null where no recovery is left.
   */
  continueRecoveries(at: number, limit: number): Promise<number | null>

  /**
   * Removes the event's data and metadata, and what receivers answered to it, which may repeat them.
   * Deliveries that are pending fail (`refused`). False where there is no such event.
   */
  expungeEvent(projectId: string, eventId: string, at: number): Promise<boolean>
  /**
   * Removes at most `limit` of the project's oldest events that were accepted before `before`, with
   * their deliveries and attempts; none that still has a pending delivery. Returns how many.
   */
  deleteOldEvents(projectId: string, before: number, limit: number): Promise<number>

  insertAuditRow(row: AuditRow): Promise<void>

  /** Throws `StorageConflictError('idempotency_key')` when the scope already holds a live answer. */
  insertIdempotentAnswer(scope: string, answer: IdempotentAnswer): Promise<void>
  /** Removes at most `limit` answers older than `now` allows. */
  deleteExpiredIdempotentAnswers(now: number, limit: number): Promise<number>

  /** Replaces everything still to be announced about a rotation. */
  replaceAnnouncements(rotationId: string, announcements: readonly Announcement[]): Promise<void>
  /** False where it is gone or was moved: another node has made it, or changed the rotation. */
  deleteAnnouncement(announcement: Announcement): Promise<boolean>

  setMeta(key: string, value: Uint8Array): Promise<void>
}
