import type { SQLInputValue } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { DeliveryStatus } from '../../core/delivery.ts'
import type { DeliveryCountFilter } from '../storage.ts'
import type { Connection } from './connection.ts'
import { type DeliveryOwner, eventPath } from './delivery-paths.ts'

/** Entries of an index that are counted in one go: about a millisecond. */
const entriesPerStepMax = 20_000

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
  if (filter.eventId !== undefined) return countOfEvent(connection, owner, filter, filter.eventId)
  const range = rangeOf(filter)
  const all = await countInSteps(connection, allEntries(owner, range))
  const failed = await countInSteps(connection, missedEntries(owner, 'failed', range))
  const skipped = await countInSteps(connection, missedEntries(owner, 'skipped', range))
  let pending = 0
  for (const endpointSeq of endpointSeqs(connection, owner)) {
    pending += await countInSteps(connection, pendingEntries(endpointSeq, range))
  }
  // Counted at slightly different instants, so the rest could come out below nothing.
  const delivered = Math.max(0, all - failed - skipped - pending)
  return { pending, delivered, failed, skipped }
}

/** Entries of an index, in the order of `key`. */
interface Entries {
  from: string
  where: string
  values: readonly SQLInputValue[]
  key: readonly string[]
}

/** First and last instant of creation, both included. */
type TimeRange = readonly [number, number]

function rangeOf({ since, until }: DeliveryCountFilter): TimeRange {
  return [
    since ?? Number.MIN_SAFE_INTEGER,
    until === undefined ? Number.MAX_SAFE_INTEGER : until - 1,
  ]
}

/** The deliveries of one event are few and lie side by side. */
function countOfEvent(
  connection: Connection,
  owner: DeliveryOwner,
  filter: DeliveryCountFilter,
  eventId: string,
): Counts {
  const path = eventPath(owner, eventId, [...rangeOf(filter)])
  const ofEndpoint = owner.endpointSeq === undefined ? '' : 'and d.endpoint_seq = ?'
  const rows = connection.all<{ status: DeliveryStatus; count: number }>(
    `select d.status, count(*) as count from ${path.from} where ${path.where} ${ofEndpoint}
     group by d.status`,
    ...path.values,
    ...(owner.endpointSeq === undefined ? [] : [owner.endpointSeq]),
  )
  const countOf = (status: DeliveryStatus) => rows.find((row) => row.status === status)?.count ?? 0
  return {
    pending: countOf('pending'),
    delivered: countOf('delivered'),
    failed: countOf('failed'),
    skipped: countOf('skipped'),
  }
}

async function countInSteps(
  connection: Connection,
  { from, where, values, key }: Entries,
): Promise<number> {
  const names = key.join(', ')
  const beyond = `where ${where} and (${names}) > (${key.map(() => '?').join(', ')})`
  let count = 0
  let after: SQLInputValue[] = key.map(() => Number.MIN_SAFE_INTEGER)
  for (;;) {
    const last = connection.one<Record<string, SQLInputValue>>(
      `select ${names} from ${from} ${beyond} order by ${names} limit 1 offset ?`,
      ...values,
      ...after,
      entriesPerStepMax - 1,
    )
    if (last === undefined) break
    count += entriesPerStepMax
    after = key.map((name) => last[name] ?? null)
    await nextTurn()
  }
  const rest = connection.one<{ count: number }>(
    `select count(*) as count from ${from} ${beyond}`,
    ...values,
    ...after,
  )
  return count + (rest?.count ?? 0)
}

function allEntries({ projectSeq, endpointSeq }: DeliveryOwner, range: TimeRange): Entries {
  const owner = endpointSeq === undefined ? 'project' : 'endpoint'
  return {
    from: `deliveries indexed by deliveries_by_${owner}`,
    where: `${owner}_seq = ? and created_at between ? and ?`,
    values: [endpointSeq ?? projectSeq, ...range],
    key: ['created_at', 'seq'],
  }
}

function missedEntries(
  { projectSeq, endpointSeq }: DeliveryOwner,
  status: 'failed' | 'skipped',
  range: TimeRange,
): Entries {
  const owner = endpointSeq === undefined ? 'project' : 'endpoint'
  return {
    from: `deliveries indexed by deliveries_missed_by_${owner}`,
    where: `${owner}_seq = ? and status = '${status}' and created_at between ? and ?`,
    values: [endpointSeq ?? projectSeq, ...range],
    key: ['created_at', 'seq'],
  }
}

function pendingEntries(endpointSeq: number, range: TimeRange): Entries {
  return {
    from: 'deliveries indexed by deliveries_pending',
    where: `status = 'pending' and endpoint_seq = ? and created_at between ? and ?`,
    values: [endpointSeq, ...range],
    key: ['due_at', 'created_at', 'seq'],
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
