import type { NewEvent } from '../../core/event.ts'
import type { Connection } from './connection.ts'

/** The event that has an id already. */
export interface EarlierEvent {
  type: string
  data: string | null
  createdAt: number
  deliveryCount: number
}

/** An event with an id that its publisher chose, about to be stored. */
interface NewRow {
  event: NewEvent
  projectSeq: number
  seq: number
  deliveryCount: number
}

interface EarlierRow {
  project_seq: number
  id: string
  type: string
  data: string | null
  created_at: number
  delivery_count: number
}

const madeHere = /^evt_[0-9a-f]{32}$/

/** Of the form that this server makes: an event with such an id is in no list of callers' ids. */
export function isMadeHere(eventId: string): boolean {
  return madeHere.test(eventId)
}

/**
 * Takes the ids for these events. Returns, by `seq` of the new one, the earlier event where an id is
 * taken: by one that is stored, or by one of the same call.
 */
export async function claimCallerIds(
  connection: Connection,
  rows: readonly NewRow[],
): Promise<Map<number, EarlierEvent>> {
  const earlier = new Map<number, EarlierEvent>()
  if (rows.length === 0) return earlier
  const firsts = new Map<string, NewRow>()
  for (const row of rows) {
    const first = firsts.get(keyOf(row.projectSeq, row.event.id))
    if (first === undefined) firsts.set(keyOf(row.projectSeq, row.event.id), row)
    else earlier.set(row.seq, toEarlier(first))
  }
  const taken = await insertIds(connection, [...firsts.values()])
  const stored = await readEarlier(connection, taken)
  for (const row of rows) {
    const found = stored.get(keyOf(row.projectSeq, row.event.id))
    if (found !== undefined) earlier.set(row.seq, found)
  }
  return earlier
}

/** Returns those whose id was there already, or may be. */
async function insertIds(connection: Connection, rows: readonly NewRow[]): Promise<NewRow[]> {
  const inserted = await connection.all<{ seq: number }>(
    // Sorted, so that two nodes that insert the same ids never wait for each other.
    `insert into caller_event_ids (project_seq, id, created_at, seq)
     select * from unnest(?::bigint[], ?::text[], ?::bigint[], ?::bigint[])
       as n(project_seq, id, created_at, seq)
     order by project_seq, id
     on conflict do nothing
     returning seq`,
    rows.map(({ projectSeq }) => projectSeq),
    rows.map(({ event }) => event.id),
    rows.map(({ event }) => event.createdAt),
    rows.map(({ seq }) => seq),
  )
  const seqs = new Set(inserted.map(({ seq }) => seq))
  return rows.filter(({ seq, event }) => !seqs.has(seq) || isMadeHere(event.id))
}

async function readEarlier(
  connection: Connection,
  rows: readonly NewRow[],
): Promise<Map<string, EarlierEvent>> {
  if (rows.length === 0) return new Map()
  const found = await connection.all<EarlierRow>(
    `select k.project_seq, k.id, e.type, e.data, e.created_at, e.delivery_count
     from unnest(?::bigint[], ?::text[]) as k(project_seq, id)
       join events e on e.project_seq = k.project_seq and e.id = k.id`,
    rows.map(({ projectSeq }) => projectSeq),
    rows.map(({ event }) => event.id),
  )
  return new Map(found.map((row) => [keyOf(row.project_seq, row.id), fromRow(row)]))
}

function keyOf(projectSeq: number, id: string): string {
  return `${projectSeq} ${id}`
}

function toEarlier({ event, deliveryCount }: NewRow): EarlierEvent {
  const { type, data, createdAt } = event
  return { type, data, createdAt, deliveryCount }
}

function fromRow(row: EarlierRow): EarlierEvent {
  const { type, data, created_at: createdAt, delivery_count: deliveryCount } = row
  return { type, data, createdAt, deliveryCount }
}
