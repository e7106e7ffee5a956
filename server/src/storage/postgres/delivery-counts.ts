import type { DeliveryStatus } from '../../core/delivery.ts'
import type { DeliveryCountFilter } from '../storage.ts'
import type { Connection } from './connection.ts'
import { type DeliveryOwner, eventPath, type TimeRange } from './delivery-paths.ts'

type Counts = Record<DeliveryStatus, number>

/**
 * Counts along indexes, mostly without the rows, all at one instant: what is not pending, failed or
 * skipped was delivered. While the store counts, everyone else goes on.
 */
export async function countDeliveries(
  connection: Connection,
  owner: DeliveryOwner,
  filter: DeliveryCountFilter,
): Promise<Counts> {
  const range = rangeOf(filter)
  if (filter.eventId !== undefined) return countOfEvent(connection, owner, filter.eventId, range)
  const column = owner.endpointSeq === undefined ? 'project_seq' : 'endpoint_seq'
  const value = owner.endpointSeq ?? owner.projectSeq
  const count = (table: string, condition: string) =>
    `(select count(*) from ${table}
      where ${column} = ?1 and created_at between ?2 and ?3 ${condition})`
  const counts = await connection.one<Counts>(
    // Materialized: each is used twice and is to be counted once.
    `with counted as materialized (
       select ${count('deliveries', '')} as total,
         ${count('deliveries', `and missed = 'failed'`)} as failed,
         ${count('deliveries', `and missed = 'skipped'`)} as skipped,
         ${count('due_deliveries', '')} as pending
     )
     select pending, total - failed - skipped - pending as delivered, failed, skipped from counted`,
    value,
    ...range,
  )
  return counts ?? noCounts
}

const noCounts: Counts = { pending: 0, delivered: 0, failed: 0, skipped: 0 }

function rangeOf({ since, until }: DeliveryCountFilter): TimeRange {
  return [
    since ?? Number.MIN_SAFE_INTEGER,
    until === undefined ? Number.MAX_SAFE_INTEGER : until - 1,
  ]
}

/** The deliveries of one event are few. */
async function countOfEvent(
  connection: Connection,
  owner: DeliveryOwner,
  eventId: string,
  range: TimeRange,
): Promise<Counts> {
  const path = eventPath(owner, eventId, range)
  const ofEndpoint = owner.endpointSeq === undefined ? [] : [owner.endpointSeq]
  const counts = await connection.one<Counts>(
    `select count(*) filter (where d.status = 'pending') as pending,
       count(*) filter (where d.status = 'delivered') as delivered,
       count(*) filter (where d.status = 'failed') as failed,
       count(*) filter (where d.status = 'skipped') as skipped
     from ${path.from}
     where ${path.where} ${ofEndpoint.map(() => 'and d.endpoint_seq = ?').join('')}`,
    ...path.values,
    ...ofEndpoint,
  )
  return counts ?? noCounts
}
