import type { SQLInputValue } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { DeliveryStatus } from '../../core/delivery.ts'
import type { DeliveryCountFilter } from '../storage.ts'
import type { Connection } from './connection.ts'
import { type DeliveryOwner, eventPath } from './delivery-paths.ts'

/** Entries of an index that are read between two turns of the event loop: about two milliseconds. */
export const entriesPerStepMax = 10_000
/** What finding a place in an index counts for: a project may have many endpoints with no entries. */
const entriesPerLookUp = 100

type Counts = Record<DeliveryStatus, number>

/**
 * Counts along indexes alone, never touching a row of the hot table. There are millions, and this
 * thread also accepts and delivers: so between the steps it is everyone else's turn.
 */
export async function countDeliveries(
  connection: Connection,
  owner: DeliveryOwner,
  filter: DeliveryCountFilter,
): Promise<Counts> {
  const range = rangeOf(filter)
  if (filter.eventId !== undefined) return countOfEvent(connection, owner, filter.eventId, range)
  const pace = createPace()
  const count = (run: IndexRun) => countRun(connection, run, range, pace)
  const all = await count(allRun(owner, range))
  const failed = await count(missedRun(owner, 'failed', range))
  const skipped = await count(missedRun(owner, 'skipped', range))
  let pending = 0
  for (const endpointSeq of endpointSeqs(connection, owner)) {
    pending += await count(pendingRun(endpointSeq))
  }
  // Counted at slightly different instants, so the rest could come out below nothing.
  const delivered = Math.max(0, all - failed - skipped - pending)
  return { pending, delivered, failed, skipped }
}

/** A run of entries that lie side by side in an index of deliveries. */
interface IndexRun {
  index: string
  /** Equalities that hold of the whole run. */
  where: string
  values: readonly SQLInputValue[]
  /** What the entries of the run are sorted by. */
  key: readonly string[]
  /** The run begins behind this key and ends with that one. */
  after: readonly SQLInputValue[]
  upTo: readonly SQLInputValue[]
}

/** First and last instant of creation, both included. */
type TimeRange = readonly [first: number, last: number]

const lowest = Number.MIN_SAFE_INTEGER
const highest = Number.MAX_SAFE_INTEGER

function rangeOf({ since, until }: DeliveryCountFilter): TimeRange {
  return [since ?? lowest, until === undefined ? highest : until - 1]
}

/** The deliveries of one event are few and lie side by side. */
function countOfEvent(
  connection: Connection,
  owner: DeliveryOwner,
  eventId: string,
  range: TimeRange,
): Counts {
  const path = eventPath(owner, eventId, [...range])
  const ofEndpoint = owner.endpointSeq === undefined ? [] : [owner.endpointSeq]
  const counts = connection.one<Counts>(
    `select count(*) filter (where d.status = 'pending') as pending,
       count(*) filter (where d.status = 'delivered') as delivered,
       count(*) filter (where d.status = 'failed') as failed,
       count(*) filter (where d.status = 'skipped') as skipped
     from ${path.from}
     where ${path.where} ${ofEndpoint.map(() => 'and d.endpoint_seq = ?').join('')}`,
    ...path.values,
    ...ofEndpoint,
  )
  return { pending: 0, delivered: 0, failed: 0, skipped: 0, ...counts }
}

/** Gives way whenever enough has been read since the last time. */
function createPace(): (entryCount: number) => Promise<void> {
  let readCount = 0
  return async (entryCount) => {
    readCount += entryCount
    if (readCount < entriesPerStepMax) return
    readCount = 0
    await nextTurn()
  }
}

/** How many entries of the run were created in the range. */
async function countRun(
  connection: Connection,
  run: IndexRun,
  range: TimeRange,
  pace: (entryCount: number) => Promise<void>,
): Promise<number> {
  const { values, key, upTo } = run
  const names = key.join(', ')
  const marks = key.map(() => '?').join(', ')
  // Both bounds stand on the key: another condition on its first column would be taken in their
  // place, and each step would then read from the beginning of the run.
  const within = `from deliveries indexed by ${run.index}
    where ${run.where} and (${names}) > (${marks}) and (${names}) <= (${marks})`
  let after = run.after
  let count = 0
  for (;;) {
    const last = connection.one<Record<string, SQLInputValue>>(
      `select ${names} ${within} order by ${names} limit 1 offset ?`,
      ...values,
      ...after,
      ...upTo,
      entriesPerStepMax - 1,
    )
    const end = last === undefined ? upTo : key.map((name) => last[name] ?? null)
    const step = connection.one<{ read: number; counted: number }>(
      `select count(*) as read, count(*) filter (where created_at between ? and ?) as counted
       ${within}`,
      ...range,
      ...values,
      ...after,
      ...end,
    )
    count += step?.counted ?? 0
    await pace(entriesPerLookUp + (step?.read ?? 0))
    if (last === undefined) return count
    after = end
  }
}

function allRun({ projectSeq, endpointSeq }: DeliveryOwner, [first, last]: TimeRange): IndexRun {
  const owner = endpointSeq === undefined ? 'project' : 'endpoint'
  return {
    index: `deliveries_by_${owner}`,
    where: `${owner}_seq = ?`,
    values: [endpointSeq ?? projectSeq],
    key: ['created_at', 'seq'],
    after: [first, lowest],
    upTo: [last, highest],
  }
}

function missedRun(
  { projectSeq, endpointSeq }: DeliveryOwner,
  status: 'failed' | 'skipped',
  [first, last]: TimeRange,
): IndexRun {
  const owner = endpointSeq === undefined ? 'project' : 'endpoint'
  return {
    index: `deliveries_missed_by_${owner}`,
    // The status stands as a literal: only so does SQLite see that the partial index serves.
    where: `${owner}_seq = ? and status = '${status}'`,
    values: [endpointSeq ?? projectSeq],
    key: ['created_at', 'seq'],
    after: [first, lowest],
    upTo: [last, highest],
  }
}

/** Sorted by when they are due, which says nothing of their creation: the run is always whole. */
function pendingRun(endpointSeq: number): IndexRun {
  return {
    index: 'deliveries_pending',
    where: `status = 'pending' and endpoint_seq = ?`,
    values: [endpointSeq],
    key: ['due_at', 'created_at', 'seq'],
    after: [lowest, lowest, lowest],
    upTo: [highest, highest, highest],
  }
}

/** Deleted endpoints included: their deliveries are pending until they are next due. */
function endpointSeqs(
  connection: Connection,
  { projectSeq, endpointSeq }: DeliveryOwner,
): number[] {
  if (endpointSeq !== undefined) return [endpointSeq]
  return connection
    .all<{ seq: number }>(
      `select ep.seq from projects p join endpoints ep on ep.project_id = p.id where p.seq = ?`,
      projectSeq,
    )
    .map(({ seq }) => seq)
}
