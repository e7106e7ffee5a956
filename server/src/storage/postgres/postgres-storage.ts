import assert from 'node:assert/strict'
import type { Clock } from '../../core/clock.ts'
import type { Reads, Storage, StorageConsumers, Transaction } from '../storage.ts'
import { type Acceptor, createAcceptor } from './accept-events.ts'
import { announcementReads, announcementWrites } from './announcements.ts'
import { apiKeyReads, apiKeyWrites } from './api-keys.ts'
import { attemptReads, attemptWrites } from './attempts.ts'
import { auditReads, auditWrites } from './audit.ts'
import { campaignReads, campaignWrites } from './campaigns.ts'
import { claimLinkReads, claimLinkWrites } from './claim-links.ts'
import { type Claims, createClaims } from './claims.ts'
import { createCluster } from './cluster.ts'
import type { Connection } from './connection.ts'
import { deliveryCounts, deliveryReads, deliveryWrites } from './deliveries.ts'
import type { StoreTime } from './due-deliveries.ts'
import type { Effects } from './effects.ts'
import { endpointReads, endpointWrites } from './endpoints.ts'
import { eventTypeReads, eventTypeWrites } from './event-types.ts'
import { eventReads } from './events.ts'
import { fleetReads, fleetWrites } from './fleet.ts'
import { healthWrites, holdEndpoints, interleavedWrites } from './held-endpoints.ts'
import { idempotencyReads, idempotencyWrites } from './idempotency.ts'
import { createLeases, type Leases } from './leases.ts'
import { metaReads, metaWrites } from './meta.ts'
import { createNotifications } from './notifications.ts'
import { createPartitions } from './partitions.ts'
import { createPing, type Failures } from './ping.ts'
import type { Pool } from './pool.ts'
import { portalSessionReads, portalSessionWrites } from './portal-sessions.ts'
import { projectReads, projectWrites } from './projects.ts'
import { recoveryWrites } from './recoveries.ts'
import { removalWrites } from './removals.ts'
import { rotationReads, rotationWrites } from './rotations.ts'
import { secretReads, secretWrites } from './secrets.ts'
import { senderEndpointReads } from './sender-endpoints.ts'
import { createSubscriptions } from './subscriptions.ts'
import { startUpkeep } from './upkeep.ts'
import { type CommitReport, createWriter, type TransactionKind } from './writer.ts'

/**
 * The port on two pools of connections to one primary: one for reads, one for everything that writes,
 * so that neither waits for the other.
 */
export async function createPostgresStorage(options: StorageOptions): Promise<Storage> {
  let connected: StorageConsumers | null = null
  const { claims, partitions, writer, notifications, upkeep } = createParts(
    options,
    () => connected ?? {},
  )
  const { pool, failures, clock, cacheTtlMs, newId } = options
  const reader = options.reader.connection
  await notifications.begun

  return {
    cacheTtlMs,
    cluster: createCluster({ ...options, connection: pool.connection, nodeId: newId('dlv') }),
    ...createReads(reader, claims),
    ...deliveryCounts(reader),
    transact: writer.transact,
    acceptEvents: writer.acceptEvents,
    claimDue: claims.claimDue,
    releaseClaims: claims.releaseClaims,
    nextDueAt: claims.nextDueAt,
    connect(given) {
      assert(connected === null, 'The consumers are connected once.')
      connected = given
    },
    dropHistory: partitions.dropBefore,
    ping: createPing({ failures, reader, transact: writer.transact, clock }),
    async close() {
      await writer.close()
      await upkeep.stop()
      // Where the store is gone, they are due again when the leases have run out.
      await claims.releaseAll().catch(() => {})
      await notifications.close()
      await Promise.all([options.reader.end(), pool.end()])
    },
  }
}

interface StorageOptions {
  url: string
  reader: Pool
  pool: Pool
  failures: Failures
  clock: Clock
  storeTime: StoreTime
  newId: (prefix: 'dlv') => string
  leaseMs: number
  cacheTtlMs: number
  observeCommit?: ((report: CommitReport) => void) | undefined
  onError: (message: string, error: unknown) => void
}

function createParts(options: StorageOptions, consumers: () => StorageConsumers) {
  const { url, pool, clock, storeTime, newId, leaseMs, cacheTtlMs, onError } = options
  const leases = createLeases()
  const partitions = createPartitions(pool)
  const claims = createClaims({ connection: pool.connection, leases, clock, storeTime, leaseMs })
  const acceptor = createAcceptor({
    subscriptions: createSubscriptions(),
    partitions,
    clock,
    storeTime,
    newId,
    leaseMs,
    handOff: () => consumers().handOff,
    mayHoldDue: claims.mayHoldDue,
  })
  const notifications = createNotifications({
    url,
    onTold(changes, dueEndpointIds) {
      claims.noteChanged(changes.endpointIds)
      claims.noteDue(dueEndpointIds)
      void consumers().onCommitted?.(changes)
    },
    onError,
  })
  const inTransaction = { leases, clock, storeTime, claims, acceptor }
  const writer = createWriter({
    pool,
    createTransaction: (connection, effects, kind) =>
      createTransaction({ connection, effects, ...inTransaction }, kind),
    acceptor,
    claims,
    partitions,
    clock,
    cacheTtlMs,
    consumers,
    notify: notifications.tell,
    randomFraction: () => fractionOf(newId('dlv')),
    observeCommit: options.observeCommit,
  })
  const upkeep = startUpkeep({ claims, partitions, clock, consumers, onError })
  return { claims, partitions, writer, notifications, upkeep }
}

interface TransactionParts {
  connection: Connection
  effects: Effects
  leases: Leases
  clock: Clock
  storeTime: StoreTime
  claims: Claims
  acceptor: Acceptor
}

function createTransaction(
  parts: TransactionParts,
  kind: TransactionKind,
): { transaction: Transaction; flush(): Promise<void> } {
  const { connection, effects } = parts
  const writes = createWrites(parts)
  const transaction: Transaction = {
    ...createReads(connection, parts.claims),
    ...(kind === 'interleavedResults' ? interleavedWrites(writes) : writes),
  }
  if (kind === 'ordered') return { transaction, flush: async () => {} }
  return holdEndpoints(connection, effects, transaction, kind === 'orderedResults')
}

function createWrites(parts: TransactionParts): Omit<Transaction, keyof Reads> {
  const { connection, effects, acceptor } = parts
  return {
    ...projectWrites(connection, effects),
    ...apiKeyWrites(connection, effects),
    ...endpointWrites(connection, effects),
    ...healthWrites(connection, effects),
    ...eventTypeWrites(connection, effects),
    ...portalSessionWrites(connection, effects),
    ...secretWrites(connection, effects),
    ...rotationWrites(connection, effects),
    ...fleetWrites(connection),
    ...campaignWrites(connection, effects),
    ...claimLinkWrites(connection),
    acceptEvents: (events) => acceptor.acceptEvents(parts, events),
    createTestDelivery: (event, endpointId) =>
      acceptor.createTestDelivery(parts, event, endpointId),
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
  return {
    ...projectReads(connection),
    ...apiKeyReads(connection),
    ...endpointReads(connection),
    ...eventTypeReads(connection),
    ...portalSessionReads(connection),
    ...secretReads(connection),
    ...senderEndpointReads(connection),
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

/** The random end of an id: what spreads those who try again at the same time. */
function fractionOf(id: string): number {
  return Number.parseInt(id.slice(-6), 16) / 0xffffff
}
