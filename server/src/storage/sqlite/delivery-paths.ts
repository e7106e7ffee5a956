import type { SQLInputValue } from 'node:sqlite'
import type { DeliveryFilter } from '../storage.ts'
import type { Connection } from './connection.ts'

/** Whose deliveries are listed. */
export interface DeliveryOwner {
  projectSeq: number
  /** Undefined: of all endpoints. */
  endpointSeq: number | undefined
}

/** The index through which a list of deliveries is read: the head of its query. */
export interface DeliveryPath {
  from: string
  /** `from` with deliveries alone, where the path leads through one of their indexes; else null. */
  alone: string | null
  where: string
  /** Filters that `where` has applied: to say them again could cost a read of each row. */
  applied: readonly (keyof DeliveryFilter)[]
  /** Newest first: by creation, then `seq`. */
  order: string
  values: SQLInputValue[]
}

interface Candidate extends DeliveryPath {
  /** What the path would read, without the join. */
  index: string
}

/** Counting further than this tells nothing more about which path is short. */
const probeMax = 10_000
/**
 * Pending deliveries are indexed by when they are due, so a list of them is read whole and sorted
 * (about 0.3 µs each). Where there are more than this, the newest are found by looking for them.
 */
const pendingSortedMax = 100_000

const newestFirst = 'd.created_at desc, d.seq desc'
// The cross joins fix the order: without them SQLite may begin with the table that is no help.
const joinEvent = 'cross join events e on e.seq = d.event_seq'
const joinDeliveries = `cross join deliveries d not indexed
  on d.seq between e.first_delivery_seq and e.first_delivery_seq + e.delivery_count - 1`

/**
 * Chooses by counting, not by guessing: SQLite keeps no statistics that follow a hot table, and the
 * wrong index reads a million rows for one page.
 */
export function choosePath(list: {
  connection: Connection
  owner: DeliveryOwner
  filter: DeliveryFilter
  /** Nothing after this time is wanted: the page before ended there. */
  upTo: number
}): DeliveryPath {
  const { connection, owner, filter, upTo } = list
  const range: TimeRange = [
    filter.since ?? Number.MIN_SAFE_INTEGER,
    Math.min(upTo, filter.until === undefined ? upTo : filter.until - 1),
  ]
  if (filter.eventId !== undefined) return eventPath(owner, filter.eventId, range)
  const candidates = [
    missedPath(owner, filter, range),
    pendingPath(connection, owner, filter, range),
    endpointPath(owner, range),
    typePath(owner, filter, range),
  ].filter((path) => path !== null)
  const [only] = candidates
  if (only === undefined) return projectPath(owner, range)
  if (candidates.length === 1) return only
  const sizes = candidates.map((path) => count(connection, path, probeMax))
  return candidates[sizes.indexOf(Math.min(...sizes))] ?? only
}

/** First and last instant, both included. */
type TimeRange = [number, number]

/** The deliveries of one event, which lie side by side. */
export function eventPath(
  { projectSeq }: DeliveryOwner,
  id: string,
  range: TimeRange,
): DeliveryPath {
  return {
    from: `events e indexed by events_by_id ${joinDeliveries}`,
    alone: null,
    where: 'e.project_seq = ? and e.id = ? and e.created_at between ? and ?',
    applied: ['eventId'],
    order: 'd.seq desc',
    values: [projectSeq, id, ...range],
  }
}

function missedPath(
  { projectSeq, endpointSeq }: DeliveryOwner,
  { status }: DeliveryFilter,
  range: TimeRange,
): Candidate | null {
  if (status !== 'failed' && status !== 'skipped') return null
  const owner = endpointSeq === undefined ? 'project' : 'endpoint'
  const index = `deliveries d indexed by deliveries_missed_by_${owner}`
  return {
    index,
    from: `${index} ${joinEvent}`,
    alone: index,
    // The status stands as a literal: only so does SQLite see that the partial index serves.
    where: `d.${owner}_seq = ? and d.status = '${status}' and d.created_at between ? and ?`,
    applied: ['endpointId', 'status'],
    order: newestFirst,
    values: [endpointSeq ?? projectSeq, ...range],
  }
}

function pendingPath(
  connection: Connection,
  { projectSeq, endpointSeq }: DeliveryOwner,
  { status }: DeliveryFilter,
  range: TimeRange,
): Candidate | null {
  if (status !== 'pending') return null
  const ofProject = `in (
    select ep.seq from projects p join endpoints ep on ep.project_id = p.id where p.seq = ?
  )`
  const index = 'deliveries d indexed by deliveries_pending'
  const path: Candidate = {
    index,
    from: `${index} ${joinEvent}`,
    alone: index,
    where: `d.status = 'pending' and d.endpoint_seq ${endpointSeq === undefined ? ofProject : '= ?'}
      and d.created_at between ? and ?`,
    applied: ['endpointId', 'status'],
    order: newestFirst,
    values: [endpointSeq ?? projectSeq, ...range],
  }
  return count(connection, path, pendingSortedMax) < pendingSortedMax ? path : null
}

function endpointPath({ endpointSeq }: DeliveryOwner, range: TimeRange): Candidate | null {
  if (endpointSeq === undefined) return null
  const index = 'deliveries d indexed by deliveries_by_endpoint'
  return {
    index,
    from: `${index} ${joinEvent}`,
    alone: index,
    where: 'd.endpoint_seq = ? and d.created_at between ? and ?',
    applied: ['endpointId'],
    order: newestFirst,
    values: [endpointSeq, ...range],
  }
}

function typePath(
  { projectSeq }: DeliveryOwner,
  { eventType }: DeliveryFilter,
  range: TimeRange,
): Candidate | null {
  if (eventType === undefined) return null
  const index = 'events e indexed by events_delivered_by_type'
  return {
    index,
    from: `${index} ${joinDeliveries}`,
    alone: null,
    where: `e.project_seq = ? and e.type = ? and e.first_delivery_seq is not null
      and e.created_at between ? and ?`,
    applied: ['eventType'],
    order: 'e.created_at desc, e.seq desc, d.seq desc',
    values: [projectSeq, eventType, ...range],
  }
}

function projectPath({ projectSeq }: DeliveryOwner, range: TimeRange): DeliveryPath {
  const index = 'deliveries d indexed by deliveries_by_project'
  return {
    from: `${index} ${joinEvent}`,
    alone: index,
    where: 'd.project_seq = ? and d.created_at between ? and ?',
    applied: [],
    order: newestFirst,
    values: [projectSeq, ...range],
  }
}

function count(connection: Connection, path: Candidate, max: number): number {
  const row = connection.one<{ count: number }>(
    `select count(*) as count from (select 1 from ${path.index} where ${path.where} limit ?)`,
    ...path.values,
    max,
  )
  return row?.count ?? 0
}
