import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import type { Clock } from '../../core/clock.ts'
import type { NewEvent } from '../../core/event.ts'
import type { AcceptedEvent, ClaimedDelivery, ClaimedEvent, HandOff } from '../storage.ts'
import { claimCallerIds, type EarlierEvent } from './caller-event-ids.ts'
import type { Connection } from './connection.ts'
import type { StoreTime } from './due-deliveries.ts'
import type { Effects } from './effects.ts'
import type { Lease } from './leases.ts'
import { createNumbers } from './numbers.ts'
import type { Partitions } from './partitions.ts'
import type { ProjectSubscriptions, Subscriptions } from './subscriptions.ts'

/** Stores events with their deliveries inside a transaction, however many in two statements. */
export interface Acceptor {
  acceptEvents(within: Within, events: readonly NewEvent[]): Promise<AcceptedEvent[]>
  createTestDelivery(within: Within, event: NewEvent, endpointId: string): Promise<ClaimedDelivery>
}

/** The transaction that stores. */
export interface Within {
  connection: Connection
  effects: Effects
}

/** An event that is being stored. */
interface EventRow {
  event: NewEvent
  projectSeq: number
  seq: number
  metadata: string
  deliveryCount: number
}

/** A delivery that is being stored. */
interface DeliveryRow {
  id: string
  seq: number
  endpointSeq: number
  row: EventRow
  status: 'pending' | 'skipped'
  isTest: boolean
  /** 0: nobody has it. */
  leaseToken: number
}

/**
 * The hot path. Room at the dispatcher is reserved delivery by delivery; what finds none stays due in
 * the store, and so does what comes after it, until that is claimed: first attempts keep their order.
 */
export function createAcceptor(options: {
  subscriptions: Subscriptions
  partitions: Partitions
  clock: Clock
  storeTime: StoreTime
  newId: (prefix: 'dlv') => string
  leaseMs: number
  handOff: () => HandOff | undefined
  /** A new delivery of this endpoint would overtake older ones if it were handed over. */
  mayHoldDue: (endpointId: string) => boolean
}): Acceptor {
  const { subscriptions, partitions, clock, storeTime, leaseMs } = options
  const eventSeqs = createNumbers('event_seqs')
  const deliverySeqs = createNumbers('delivery_seqs')
  const leaseTokens = createNumbers('lease_tokens')

  async function insertEvents(connection: Connection, rows: readonly EventRow[]): Promise<void> {
    if (rows.length === 0) return
    await connection.run(
      `insert into events (project_seq, created_at, seq, delivery_count, id, type, timestamp,
         metadata, data)
       select * from unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::text[],
         ?::text[], ?::text[], ?::text[], ?::text[])`,
      rows.map(({ projectSeq }) => projectSeq),
      rows.map(({ event }) => event.createdAt),
      rows.map(({ seq }) => seq),
      rows.map(({ deliveryCount }) => deliveryCount),
      rows.map(({ event }) => event.id),
      rows.map(({ event }) => event.type),
      rows.map(({ event }) => event.timestamp),
      rows.map(({ metadata }) => metadata),
      rows.map(({ event }) => event.data),
    )
  }

  async function insertDeliveries(
    connection: Connection,
    rows: readonly DeliveryRow[],
  ): Promise<void> {
    if (rows.length === 0) return
    await connection.run(
      `with new as materialized (
         select * from unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[],
           ?::text[], ?::boolean[], ?::boolean[], ?::bigint[])
           as n(project_seq, created_at, seq, endpoint_seq, event_seq, id, is_pending, is_test,
             lease_token)
       ), history as (
         insert into deliveries (project_seq, created_at, seq, endpoint_seq, event_seq,
           completed_at, is_test, id, status, missed)
         select project_seq, created_at, seq, endpoint_seq, event_seq,
           case when is_pending then null else created_at end, is_test, id,
           case when is_pending then 'pending' else 'skipped' end,
           case when is_pending then null else 'skipped' end
         from new
       )
       insert into due_deliveries (project_seq, seq, endpoint_seq, due_at, lease_until, lease_token,
         created_at, event_seq, attempt_count, series_attempt_count, is_test, id)
       select project_seq, seq, endpoint_seq, created_at,
         case when lease_token = 0 then 0 else coalesce(?::bigint, store_now()) + ? end, lease_token,
         created_at, event_seq, 0, 0, is_test, id
       from new
       where is_pending`,
      rows.map(({ row }) => row.projectSeq),
      rows.map(({ row }) => row.event.createdAt),
      rows.map(({ seq }) => seq),
      rows.map(({ endpointSeq }) => endpointSeq),
      rows.map(({ row }) => row.seq),
      rows.map(({ id }) => id),
      rows.map(({ status }) => status === 'pending'),
      rows.map(({ isTest }) => isTest),
      rows.map(({ leaseToken }) => leaseToken),
      storeTime(),
      leaseMs,
    )
  }

  /** Leases a delivery that the transaction stores; in force from the commit on. */
  function lease(
    { id, seq, row, isTest, leaseToken }: DeliveryRow,
    claimed: { event: ClaimedEvent; endpointId: string; untilMonotonic: number },
  ): { lease: Lease; delivery: ClaimedDelivery } {
    const { event, endpointId, untilMonotonic } = claimed
    const { projectSeq } = row
    return {
      lease: { endpointId, projectSeq, seq, token: leaseToken, untilMonotonic },
      delivery: {
        id,
        projectId: row.event.projectId,
        endpointId,
        event,
        attemptCount: 0,
        seriesAttemptCount: 0,
        isTest,
        isEndpointDeleted: false,
        leaseToken,
        leaseUntilMonotonic: untilMonotonic,
      },
    }
  }

  /** The rows of an event's deliveries. Says what becomes of each after the commit. */
  function fanOut(
    row: EventRow,
    { effects }: Within,
    project: ProjectSubscriptions,
    next: { deliverySeq(): number; leaseToken(): number; untilMonotonic: number },
  ): DeliveryRow[] {
    const { event } = row
    const handOff = options.handOff()
    const claimedEvent = toClaimedEvent(row)
    const dataBytes = handOff === undefined ? 0 : Buffer.byteLength(event.data)
    return project.matching(event.type).map(({ endpointId, endpointSeq, isActive }) => {
      const delivery: DeliveryRow = {
        id: options.newId('dlv'),
        seq: next.deliverySeq(),
        endpointSeq,
        row,
        status: isActive ? 'pending' : 'skipped',
        isTest: false,
        leaseToken: 0,
      }
      if (!isActive) effects.add({ kind: 'ended', status: 'skipped' })
      else if (!options.mayHoldDue(endpointId) && handOff?.reserve(endpointId, dataBytes)) {
        delivery.leaseToken = next.leaseToken()
        const { untilMonotonic } = next
        const leased = lease(delivery, { event: claimedEvent, endpointId, untilMonotonic })
        effects.add({ kind: 'handOver', ...leased, dataBytes })
      } else effects.add({ kind: 'due', endpointId, dueAt: event.createdAt })
      return delivery
    })
  }

  /** The events with their numbers and projects, in the order given. */
  async function prepare({ connection, effects }: Within, events: readonly NewEvent[]) {
    await partitions.ensure(new Set(events.map(({ createdAt }) => createdAt)))
    const projectIds = new Set(events.map(({ projectId }) => projectId))
    const projects = await subscriptions.read(connection, projectIds, effects.resubscribedIds())
    const nextSeq = await eventSeqs.take(connection, events.length)
    return events.map((event) => {
      const project = projects.get(event.projectId)
      assert(
        project !== undefined,
        `Events are accepted for the unknown project ${event.projectId}.`,
      )
      const row: EventRow = {
        event,
        projectSeq: project.seq,
        seq: nextSeq(),
        metadata: JSON.stringify(event.metadata),
        deliveryCount: project.matching(event.type).length,
      }
      return { row, project }
    })
  }

  return {
    async acceptEvents(within, events) {
      const { connection } = within
      const untilMonotonic = clock.monotonic() + leaseMs
      const prepared = await prepare(within, events)
      const earlier = await claimCallerIds(
        connection,
        prepared.flatMap(({ row }) => (row.event.hasCallerId ? [row] : [])),
      )
      const fresh = prepared.filter(({ row }) => !earlier.has(row.seq))
      const count = fresh.reduce((sum, { row }) => sum + row.deliveryCount, 0)
      const [deliverySeq, leaseToken] = await Promise.all([
        deliverySeqs.take(connection, count),
        leaseTokens.take(connection, count),
      ])
      // From here on without a wait: the room that is reserved belongs to this transaction.
      const next = { deliverySeq, leaseToken, untilMonotonic }
      const deliveries = fresh.flatMap(({ row, project }) => fanOut(row, within, project, next))
      const rows = fresh.map(({ row }) => row)
      await Promise.all([insertEvents(connection, rows), insertDeliveries(connection, deliveries)])
      return prepared.map(({ row }) => answer(row, earlier.get(row.seq)))
    },

    async createTestDelivery(within, event, endpointId) {
      const { connection, effects } = within
      const untilMonotonic = clock.monotonic() + leaseMs
      const [prepared] = await prepare(within, [event])
      const endpoint = await connection.one<{ seq: number }>(
        'select seq from endpoints where id = ?',
        endpointId,
      )
      assert(prepared && endpoint, `There is no endpoint ${endpointId} to test.`)
      const row = { ...prepared.row, deliveryCount: 1 }
      const [deliverySeq, leaseToken] = await Promise.all([
        deliverySeqs.take(connection, 1),
        leaseTokens.take(connection, 1),
      ])
      const delivery: DeliveryRow = {
        id: options.newId('dlv'),
        seq: deliverySeq(),
        endpointSeq: endpoint.seq,
        row,
        status: 'pending',
        isTest: true,
        leaseToken: leaseToken(),
      }
      await Promise.all([insertEvents(connection, [row]), insertDeliveries(connection, [delivery])])
      const claimed = { event: toClaimedEvent(row), endpointId, untilMonotonic }
      const leased = lease(delivery, claimed)
      effects.add({ kind: 'lease', lease: leased.lease })
      return leased.delivery
    },
  }
}

/** The text of `data` is compared as it stands: equal bytes, not equal meaning. */
function answer({ event, deliveryCount }: EventRow, earlier?: EarlierEvent): AcceptedEvent {
  const { id, type, createdAt } = event
  if (earlier === undefined) return { status: 'accepted', id, type, createdAt, deliveryCount }
  const isSame = earlier.type === type && earlier.data === event.data
  return {
    status: isSame ? 'duplicate' : 'conflict',
    id,
    type: earlier.type,
    createdAt: earlier.createdAt,
    deliveryCount: earlier.deliveryCount,
  }
}

function toClaimedEvent({ event, metadata }: EventRow): ClaimedEvent {
  const { id, type, timestamp, data, createdAt } = event
  return { id, type, timestamp, data, metadata, createdAt }
}
