import type { DeliveryFilter } from '../storage.ts'
import type { Connection, Value } from './connection.ts'

/** Whose deliveries are listed. */
export interface DeliveryOwner {
  projectSeq: number
  /** Undefined: of all endpoints. */
  endpointSeq: number | undefined
}

/** The index through which a list of deliveries is read: the head of its query. */
export interface DeliveryPath {
  /** Joins are made in the order in which they stand here. */
  from: string
  where: string
  values: Value[]
  /** Filters that `where` has applied. */
  applied: readonly (keyof DeliveryFilter)[]
  /** True where `from` brings the event, as `e`. */
  hasEvent: boolean
}

interface Candidate extends DeliveryPath {
  /** What the path would read, without the join. */
  index: string
}

/** Counting further than this tells nothing more about which path is short. */
const probeMax = 10_000
/**
 * Pending deliveries are indexed by when they are due, so a list of them is read whole and sorted.
 * Where there are more than this, the newest are found by looking for them.
 */
const pendingSortedMax = 100_000

export const newestFirst = 'd.created_at desc, d.seq desc'
/** Lists of deliveries by type read the event first, all others the delivery. */
export const joinEvent = `join events e on e.project_seq = d.project_seq
  and e.created_at = d.created_at and e.seq = d.event_seq`
const joinDeliveries = `join deliveries d on d.project_seq = e.project_seq
  and d.created_at = e.created_at and d.event_seq = e.seq`

/** First and last instant, both included. */
export type TimeRange = readonly [number, number]

/**
 * Chooses by counting, not by guessing: statistics never follow a hot table, and the wrong index
 * reads a million rows for one page.
 */
export async function choosePath(list: {
  connection: Connection
  owner: DeliveryOwner
  filter: DeliveryFilter
  /** Nothing after this time is wanted: the page before ended there. */
  upTo: number
}): Promise<DeliveryPath> {
  const { connection, owner, filter, upTo } = list
  const range: TimeRange = [
    filter.since ?? Number.MIN_SAFE_INTEGER,
    Math.min(upTo, filter.until === undefined ? upTo : filter.until - 1),
  ]
  if (filter.eventId !== undefined) return eventPath(owner, filter.eventId, range)
  const candidates = [
    missedPath(owner, filter, range),
    await pendingPath(connection, owner, filter, range),
    endpointPath(owner, range),
    typePath(owner, filter, range),
  ].filter((path) => path !== null)
  const [only] = candidates
  if (only === undefined) return projectPath(owner, range)
  if (candidates.length === 1) return only
  const sizes = await Promise.all(candidates.map((path) => count(connection, path, probeMax)))
  return candidates[sizes.indexOf(Math.min(...sizes))] ?? only
}

/** The deliveries of one event were created with it, in the same millisecond as few others. */
export function eventPath(
  { projectSeq }: DeliveryOwner,
  id: string,
  range: TimeRange,
): DeliveryPath {
  return {
    from: `events e ${joinDeliveries}`,
    where: 'e.project_seq = ? and e.id = ? and e.created_at between ? and ?',
    values: [projectSeq, id, ...range],
    applied: ['eventId'],
    hasEvent: true,
  }
}

function missedPath(
  { projectSeq, endpointSeq }: DeliveryOwner,
  { status }: DeliveryFilter,
  range: TimeRange,
): Candidate | null {
  if (status !== 'failed' && status !== 'skipped') return null
  const owner = endpointSeq === undefined ? 'project' : 'endpoint'
  return {
    index: 'deliveries d',
    from: 'deliveries d',
    where: `d.${owner}_seq = ? and d.missed = '${status}' and d.created_at between ? and ?`,
    values: [endpointSeq ?? projectSeq, ...range],
    applied: ['endpointId', 'status'],
    hasEvent: false,
  }
}

async function pendingPath(
  connection: Connection,
  { projectSeq, endpointSeq }: DeliveryOwner,
  { status }: DeliveryFilter,
  range: TimeRange,
): Promise<Candidate | null> {
  if (status !== 'pending') return null
  const owner = endpointSeq === undefined ? 'project' : 'endpoint'
  const index = 'due_deliveries q'
  const path: Candidate = {
    index,
    from: `${index} join deliveries d on d.project_seq = q.project_seq
      and d.created_at = q.created_at and d.seq = q.seq`,
    where: `q.${owner}_seq = ? and q.created_at between ? and ?`,
    values: [endpointSeq ?? projectSeq, ...range],
    applied: ['endpointId', 'status'],
    hasEvent: false,
  }
  return (await count(connection, path, pendingSortedMax)) < pendingSortedMax ? path : null
}

function endpointPath({ endpointSeq }: DeliveryOwner, range: TimeRange): Candidate | null {
  if (endpointSeq === undefined) return null
  return {
    index: 'deliveries d',
    from: 'deliveries d',
    where: 'd.endpoint_seq = ? and d.created_at between ? and ?',
    values: [endpointSeq, ...range],
    applied: ['endpointId'],
    hasEvent: false,
  }
}

function typePath(
  { projectSeq }: DeliveryOwner,
  { eventType }: DeliveryFilter,
  range: TimeRange,
): Candidate | null {
  if (eventType === undefined) return null
  return {
    index: 'events e',
    from: `events e ${joinDeliveries}`,
    where: `e.project_seq = ? and e.type = ? and e.delivery_count > 0
      and e.created_at between ? and ?`,
    values: [projectSeq, eventType, ...range],
    applied: ['eventType'],
    hasEvent: true,
  }
}

function projectPath({ projectSeq }: DeliveryOwner, range: TimeRange): DeliveryPath {
  return {
    from: 'deliveries d',
    where: 'd.project_seq = ? and d.created_at between ? and ?',
    values: [projectSeq, ...range],
    applied: [],
    hasEvent: false,
  }
}

async function count(connection: Connection, path: Candidate, max: number): Promise<number> {
  const row = await connection.one<{ count: number }>(
    `select count(*) as count from (select 1 from ${path.index} where ${path.where} limit ?) as run`,
    ...path.values,
    max,
  )
  return row?.count ?? 0
}
