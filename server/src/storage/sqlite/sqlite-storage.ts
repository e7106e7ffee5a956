import assert from 'node:assert/strict'
import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../../core/clock.ts'
import type {
  Reads,
  Storage,
  StorageConsumers,
  StorageUnavailableError,
  Transaction,
} from '../storage.ts'
import { type Acceptor, createAcceptor } from './accept-events.ts'
import { announcementReads, announcementWrites } from './announcements.ts'
import { apiKeyReads, apiKeyWrites } from './api-keys.ts'
import { attemptReads, attemptWrites } from './attempts.ts'
import { auditReads, auditWrites } from './audit.ts'
import { campaignReads, campaignWrites } from './campaigns.ts'
import { claimLinkReads, claimLinkWrites } from './claim-links.ts'
import { type Claims, createClaims } from './claims.ts'
import { type Connection, createConnection } from './connection.ts'
import { deliveryCounts, deliveryReads, deliveryWrites } from './deliveries.ts'
import { createEffects, type Effects } from './effects.ts'
import { endpointReads, endpointWrites } from './endpoints.ts'
import { eventTypeReads, eventTypeWrites } from './event-types.ts'
import { eventReads } from './events.ts'
import { fleetReads, fleetWrites } from './fleet.ts'
import { idempotencyReads, idempotencyWrites } from './idempotency.ts'
import { createLeases, type Leases } from './leases.ts'
import { metaReads, metaWrites } from './meta.ts'
import { createFailures, createPing } from './ping.ts'
import { portalSessionReads, portalSessionWrites } from './portal-sessions.ts'
import { projectReads, projectWrites } from './projects.ts'
import { recoveryWrites } from './recoveries.ts'
import { removalWrites } from './removals.ts'
import { rotationReads, rotationWrites } from './rotations.ts'
import { secretReads, secretWrites } from './secrets.ts'
import { senderEndpointReads } from './sender-endpoints.ts'
import { createSubscriptions, type Subscriptions } from './subscriptions.ts'
import { createWriteGuard } from './write-guard.ts'
import { type CommitReport, createWriter } from './writer.ts'

/**
 * The port on two open connections: all writes through one, one transaction at a time; the reads of
 * `Storage` through the other, so that they never see what is not committed.
 */
export function createSqliteStorage(options: {
  writerDatabase: DatabaseSync
  readerDatabase: DatabaseSync
  clock: Clock
  newId: (prefix: 'dlv') => string
  leaseMs: number
  observeCommit?: ((report: CommitReport) => void) | undefined
  /** Takes out of the write-ahead log, soon, what it holds of what was removed. */
  eraseLog(): void
  /** Closes both databases and all that hangs on them. */
  release(): Promise<void>
}): Storage {
  const { clock, leaseMs, newId, observeCommit } = options
  let consumers: StorageConsumers | null = null
  const guard = createWriteGuard()
  const connection = createConnection(options.writerDatabase, guard)
  const failures = createFailures()
  const noteFailure = (error: StorageUnavailableError) => failures.note(error)
  const reader = createConnection(options.readerDatabase, { check() {}, failed: noteFailure })
  const effects = createEffects()
  const leases = createLeases()
  const subscriptions = createSubscriptions(connection)
  const claims = createClaims({ reader, leases, clock, leaseMs })
  const acceptor = createAcceptor({
    connection,
    effects,
    subscriptions,
    leases,
    clock,
    newId,
    leaseMs,
    lastSeqs: readLastSeqs(reader),
    handOff: () => consumers?.handOff,
    mayHoldDue: claims.mayHoldDue,
  })
  const parts = { connection, effects, subscriptions, leases, clock, claims, acceptor }
  const writer = createWriter({
    ...parts,
    guard,
    transaction: createTransaction(parts),
    consumers: () => consumers ?? {},
    eraseLog: options.eraseLog,
    observeCommit,
    onFailure: noteFailure,
  })

  return {
    ...alone,
    ...createReads(reader, claims),
    ...deliveryCounts(reader),
    transact: writer.transact,
    acceptEvents: writer.acceptEvents,
    async claimDue(request) {
      // A claim reads committed data, so it must not fall into the middle of a transaction.
      await writer.idle()
      return claims.claimDue(request)
    },
    releaseClaims: claims.releaseClaims,
    nextDueAt: claims.nextDueAt,
    connect(given) {
      assert(consumers === null, 'The consumers are connected once.')
      consumers = given
    },
    ping: createPing({ failures, reader, transact: writer.transact, clock }),
    async close() {
      await writer.close()
      await options.release()
    },
  }
}

/** One process has the file for itself. */
const alone = { cacheTtlMs: 0, cluster: null }

function createTransaction(parts: {
  connection: Connection
  effects: Effects
  subscriptions: Subscriptions
  leases: Leases
  clock: Clock
  claims: Claims
  acceptor: Acceptor
}): Transaction {
  const { connection, effects, subscriptions, acceptor } = parts
  return {
    ...createReads(connection, parts.claims),
    ...projectWrites(connection, effects, subscriptions),
    ...apiKeyWrites(connection, effects),
    ...endpointWrites(connection, effects, subscriptions),
    ...eventTypeWrites(connection, effects),
    ...portalSessionWrites(connection, effects),
    ...secretWrites(connection, effects),
    ...rotationWrites(connection, effects),
    ...fleetWrites(connection),
    ...campaignWrites(connection, effects),
    ...claimLinkWrites(connection),
    async acceptEvents(events) {
      const accepted = acceptor.acceptEvents(events)
      acceptor.finish()
      return accepted
    },
    createTestDelivery: async (event, endpointId) => acceptor.createTestDelivery(event, endpointId),
    ...attemptWrites(parts),
    ...deliveryWrites(parts),
    ...recoveryWrites(connection, effects),
    ...removalWrites(connection, effects),
    ...auditWrites(connection),
    ...idempotencyWrites(connection),
    ...announcementWrites(connection, effects),
    ...metaWrites(connection),
  }
}

function createReads(connection: Connection, claims: Pick<Claims, 'backlog'>): Reads {
  const sending = {
    ...projectReads(connection),
    ...endpointReads(connection),
    ...secretReads(connection),
  }
  return {
    ...sending,
    ...senderEndpointReads(sending),
    ...apiKeyReads(connection),
    ...eventTypeReads(connection),
    ...portalSessionReads(connection),
    ...rotationReads(connection),
    ...fleetReads(connection),
    ...campaignReads(connection),
    ...claimLinkReads(connection),
    ...eventReads(connection),
    ...deliveryReads(connection),
    ...attemptReads(connection),
    ...auditReads(connection),
    ...idempotencyReads(connection),
    ...announcementReads(connection),
    ...metaReads(connection),
    backlog: claims.backlog,
  }
}

function readLastSeqs(reader: Connection): { event: number; delivery: number } {
  const row = reader.one<{ event: number | null; delivery: number | null }>(
    `select (select max(seq) from events) as event, (select max(seq) from deliveries) as delivery`,
  )
  return { event: row?.event ?? 0, delivery: row?.delivery ?? 0 }
}
