import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import type { Clock } from '../../core/clock.ts'
import type { NewEvent } from '../../core/event.ts'
import type { AcceptedEvent, ClaimedDelivery, ClaimedEvent, HandOff } from '../storage.ts'
import type { Connection } from './connection.ts'
import type { Effects } from './effects.ts'
import type { Leases } from './leases.ts'
import { createRowInserts } from './row-inserts.ts'
import type { Subscriptions } from './subscriptions.ts'

/** Stores events with their deliveries inside the running transaction. */
export interface Acceptor {
  /** Their rows are in the store at the latest after `finish`. */
  acceptEvents(events: readonly NewEvent[]): AcceptedEvent[]
  /** To be called before anything else reads, and before the commit. */
  finish(): void
  /** Forgets what is not in the store yet, for the transaction is undone. */
  discard(): void
  createTestDelivery(event: NewEvent, endpointId: string): ClaimedDelivery
}

interface EarlierEventRow {
  type: string
  data: string | null
  created_at: number
  delivery_count: number
}

/** A delivery that is being stored. */
interface NewDelivery {
  projectSeq: number
  endpointSeq: number
  eventSeq: number
  status: 'pending' | 'skipped'
  isTest: boolean
}

/**
 * The hot path: one row an event and one a delivery, several with one statement.
 * Room at the dispatcher is reserved delivery by delivery; what finds none stays due in the store,
 * and so does what comes after it, until that is claimed: first attempts keep their order.
 */
export function createAcceptor(options: {
  connection: Connection
  effects: Effects
  subscriptions: Subscriptions
  leases: Leases
  clock: Clock
  newId: (prefix: 'dlv') => string
  leaseMs: number
  /** The highest numbers in use. */
  lastSeqs: { event: number; delivery: number }
  handOff: () => HandOff | undefined
  /** A new delivery of this endpoint would overtake older ones if it were handed over. */
  mayHoldDue: (endpointId: string) => boolean
}): Acceptor {
  const { connection, effects, subscriptions, leases, clock } = options
  const findEarlier = connection.statement(
    'select type, data, created_at, delivery_count from events where project_seq = ? and id = ?',
  )
  const newEvents = createRowInserts(connection, {
    into: `events (seq, project_seq, id, type, timestamp, metadata, data, delivery_count,
      first_delivery_seq, created_at)`,
    row: '(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  })
  // By status: each value that is bound costs 50 ns, and most are the same every time.
  const newDeliveries = (status: 'pending' | 'skipped', since: 'due_at' | 'completed_at') =>
    createRowInserts(connection, {
      into: `deliveries (seq, id, project_seq, endpoint_seq, event_seq, is_test, created_at,
        ${since}, status, attempt_count, series_attempt_count)`,
      row: `(?, ?, ?, ?, ?, ?, ?, ?, '${status}', 0, 0)`,
    })
  const newPending = newDeliveries('pending', 'due_at')
  const newSkipped = newDeliveries('skipped', 'completed_at')
  const tables = [newEvents, newPending, newSkipped]
  // Numbers of undone transactions are not used again; nothing depends on their being dense.
  let { event: lastEventSeq, delivery: lastDeliverySeq } = options.lastSeqs

  function storeEvent(
    event: NewEvent,
    metadata: string,
    projectSeq: number,
    deliveryCount: number,
  ): number {
    const seq = ++lastEventSeq
    newEvents.add([
      seq,
      projectSeq,
      event.id,
      event.type,
      event.timestamp,
      metadata,
      event.data,
      deliveryCount,
      deliveryCount === 0 ? null : lastDeliverySeq + 1,
      event.createdAt,
    ])
    return seq
  }

  function storeDelivery(event: NewEvent, delivery: NewDelivery) {
    const seq = ++lastDeliverySeq
    const id = options.newId('dlv')
    const inserts = delivery.status === 'pending' ? newPending : newSkipped
    const { projectSeq, endpointSeq, eventSeq } = delivery
    const isTest = delivery.isTest ? 1 : 0
    const at = event.createdAt
    inserts.add([seq, id, projectSeq, endpointSeq, eventSeq, isTest, at, at])
    return { seq, id }
  }

  /** Leases a delivery that this transaction stores; in force from the commit on. */
  function lease(input: {
    stored: { seq: number; id: string }
    event: NewEvent
    claimedEvent: ClaimedEvent
    endpointId: string
    isTest: boolean
    untilMonotonic: number
  }) {
    const token = leases.nextToken()
    const { stored, event, claimedEvent, endpointId, isTest, untilMonotonic } = input
    return {
      lease: {
        deliveryId: stored.id,
        endpointId,
        seq: stored.seq,
        dueAt: event.createdAt,
        attemptCount: 0,
        seriesAttemptCount: 0,
        token,
        untilMonotonic,
      },
      delivery: {
        id: stored.id,
        projectId: event.projectId,
        endpointId,
        event: claimedEvent,
        attemptCount: 0,
        seriesAttemptCount: 0,
        isTest,
        isEndpointDeleted: false,
        leaseToken: token,
        leaseUntilMonotonic: untilMonotonic,
      },
    }
  }

  function acceptEvent(event: NewEvent, untilMonotonic: number): AcceptedEvent {
    const matching = subscriptions.matching(event.projectId, event.type)
    assert(matching !== null, `Events are accepted for the unknown project ${event.projectId}.`)
    const { projectSeq, subscribed } = matching
    if (event.hasCallerId) {
      if (newEvents.holds(event.id)) finish()
      const earlier = findEarlier.get(projectSeq, event.id) as unknown
      if (earlier !== undefined) return answerAgain(event, earlier as EarlierEventRow)
    }
    const metadata = JSON.stringify(event.metadata)
    const eventSeq = storeEvent(event, metadata, projectSeq, subscribed.length)
    const handOff = options.handOff()
    const claimedEvent = toClaimedEvent(event, metadata)
    const dataBytes = handOff === undefined ? 0 : Buffer.byteLength(event.data)
    for (const { endpointId, endpointSeq, isActive } of subscribed) {
      const status = isActive ? 'pending' : 'skipped'
      const delivery = { projectSeq, endpointSeq, eventSeq, status, isTest: false } as const
      const stored = storeDelivery(event, delivery)
      if (!isActive) {
        effects.add({ kind: 'ended', status: 'skipped' })
        continue
      }
      if (!options.mayHoldDue(endpointId) && handOff?.reserve(endpointId, dataBytes)) {
        const leased = lease({
          stored,
          event,
          claimedEvent,
          endpointId,
          isTest: false,
          untilMonotonic,
        })
        effects.add({ kind: 'handOver', ...leased, dataBytes })
      } else {
        effects.add({ kind: 'due', endpointId, dueAt: event.createdAt })
      }
    }
    return {
      status: 'accepted',
      id: event.id,
      type: event.type,
      createdAt: event.createdAt,
      deliveryCount: subscribed.length,
    }
  }

  function finish(): void {
    for (const table of tables) table.finish()
  }

  return {
    finish: () => connection.protect(finish),
    discard() {
      for (const table of tables) table.discard()
    },

    acceptEvents(events) {
      return connection.protect(() => {
        const untilMonotonic = clock.monotonic() + options.leaseMs
        return events.map((event) => acceptEvent(event, untilMonotonic))
      })
    },

    createTestDelivery(event, endpointId) {
      return connection.protect(() => {
        const untilMonotonic = clock.monotonic() + options.leaseMs
        const owner = connection.one<{ project_seq: number; endpoint_seq: number }>(
          `select p.seq as project_seq, e.seq as endpoint_seq
           from projects p, endpoints e
           where p.id = ? and e.id = ?`,
          event.projectId,
          endpointId,
        )
        assert(owner !== undefined, `There is no endpoint ${endpointId} to test.`)
        const { project_seq: projectSeq, endpoint_seq: endpointSeq } = owner
        const metadata = JSON.stringify(event.metadata)
        const eventSeq = storeEvent(event, metadata, projectSeq, 1)
        const stored = storeDelivery(event, {
          projectSeq,
          endpointSeq,
          eventSeq,
          status: 'pending',
          isTest: true,
        })
        finish()
        const claimedEvent = toClaimedEvent(event, metadata)
        const leased = lease({
          stored,
          event,
          claimedEvent,
          endpointId,
          isTest: true,
          untilMonotonic,
        })
        effects.add({ kind: 'lease', lease: leased.lease })
        return leased.delivery
      })
    },
  }
}

/** The text of `data` is compared as it stands: equal bytes, not equal meaning. */
function answerAgain(event: NewEvent, earlier: EarlierEventRow): AcceptedEvent {
  const isSame = earlier.type === event.type && earlier.data === event.data
  return {
    status: isSame ? 'duplicate' : 'conflict',
    id: event.id,
    type: earlier.type,
    createdAt: earlier.created_at,
    deliveryCount: earlier.delivery_count,
  }
}

function toClaimedEvent(event: NewEvent, metadata: string): ClaimedEvent {
  return {
    id: event.id,
    type: event.type,
    timestamp: event.timestamp,
    data: event.data,
    metadata,
    createdAt: event.createdAt,
  }
}
