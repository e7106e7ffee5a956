import assert from 'node:assert/strict'
import type { SQLOutputValue } from 'node:sqlite'
import type { ClaimedDelivery, ClaimedEvent } from '../storage.ts'
import type { Connection } from './connection.ts'

/** A delivery as it stands in the store, with its event. */
export type StoredDelivery = Pick<
  ClaimedDelivery,
  'id' | 'projectId' | 'event' | 'attemptCount' | 'seriesAttemptCount' | 'isTest'
>

type DeliveryRow = [
  seq: number,
  id: string,
  projectId: string,
  eventSeq: number,
  attemptCount: number,
  seriesAttemptCount: number,
  isTest: number,
]
type EventRow = [
  seq: number,
  id: string,
  type: string,
  timestamp: string,
  data: string | null,
  metadata: string,
  createdAt: number,
]

/**
 * Deliveries with their events, in the order asked for. All in two statements, as lists: 4.6 µs for
 * one with 1 KB, where a statement for each row that makes an object of it takes 12. That was a fifth
 * of the main thread's time where events come in faster than they go out.
 *
 * @param events Those that were read already; gains those that were not. Each is read once, however
 *   many deliveries it has.
 */
export function readClaimed(
  reader: Connection,
  seqs: readonly number[],
  events: Map<number, ClaimedEvent>,
): StoredDelivery[] {
  if (seqs.length === 0) return []
  const rows = readLists<DeliveryRow>(
    reader,
    `select d.seq, d.id, p.id, d.event_seq, d.attempt_count, d.series_attempt_count, d.is_test
     from json_each(?) j
       cross join deliveries d on d.seq = j.value
       cross join projects p on p.seq = d.project_seq`,
    seqs,
  )
  const missing = new Set<number>()
  for (const [, , , eventSeq] of rows) if (!events.has(eventSeq)) missing.add(eventSeq)
  readEvents(reader, [...missing], events)
  const bySeq = new Map(rows.map((row) => [row[0], row]))
  return seqs.map((seq) => {
    const row = bySeq.get(seq)
    assert(row !== undefined, 'The index of due deliveries names a delivery that does not exist.')
    const [, id, projectId, eventSeq, attemptCount, seriesAttemptCount, isTest] = row
    const event = events.get(eventSeq)
    assert(event !== undefined, 'A pending delivery has an event with data.')
    return { id, projectId, event, attemptCount, seriesAttemptCount, isTest: isTest === 1 }
  })
}

function readEvents(
  reader: Connection,
  seqs: readonly number[],
  events: Map<number, ClaimedEvent>,
): void {
  if (seqs.length === 0) return
  const rows = readLists<EventRow>(
    reader,
    `select e.seq, e.id, e.type, e.timestamp, e.data, e.metadata, e.created_at
     from json_each(?) j cross join events e on e.seq = j.value`,
    seqs,
  )
  for (const [seq, id, type, timestamp, data, metadata, createdAt] of rows) {
    if (data !== null) events.set(seq, { id, type, timestamp, data, metadata, createdAt })
  }
}

/** Each row as a list of its columns. */
function readLists<Row extends SQLOutputValue[]>(
  reader: Connection,
  sql: string,
  seqs: readonly number[],
): Row[] {
  return reader.protect(() => {
    const statement = reader.statement(sql)
    statement.setReturnArrays(true)
    return statement.all(JSON.stringify(seqs)) as unknown as Row[]
  })
}
