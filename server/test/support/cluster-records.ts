import assert from 'node:assert/strict'
import type { Received, Receiver } from './receiver.ts'
import type { Cluster } from './start-cluster.ts'

/* What the store says of all deliveries of a cluster, held against what receivers were sent. */

/** The requests that are in no attempt's record. Only deliveries with several requests can have one. */
export async function unrecorded(
  cluster: Cluster,
  { url, received }: Receiver,
): Promise<Received[]> {
  const counts = new Map<string, number>()
  for (const { id } of received) counts.set(id, (counts.get(id) ?? 0) + 1)
  const again = received.filter(({ id }) => (counts.get(id) ?? 0) > 1)
  const rows = await cluster.query(
    `select e.id, a.request_headers from events e
       join deliveries d on d.project_seq = e.project_seq and d.event_seq = e.seq
       join attempts a on a.project_seq = d.project_seq
         and a.created_at = d.created_at and a.delivery_seq = d.seq
     where e.id = any($1) and a.url = $2`,
    [[...new Set(again.map(({ id }) => id))], url],
  )
  const recorded = new Map<string, number>()
  for (const { id, request_headers } of rows) {
    const key = signatureOf(String(id), JSON.parse(String(request_headers)))
    recorded.set(key, (recorded.get(key) ?? 0) + 1)
  }
  return again.filter(({ id, headers }) => {
    const key = signatureOf(id, headers)
    const left = recorded.get(key) ?? 0
    recorded.set(key, left - 1)
    return left <= 0
  })
}

function signatureOf(id: string, headers: Record<string, unknown>): string {
  return [id, headers['webhook-timestamp'], headers['webhook-signature']].join(' ')
}

/** When a request was signed, in milliseconds; timestamps are whole seconds. */
export function signedAt(headers: Received['headers']): number {
  return Number(headers['webhook-timestamp']) * 1_000
}

/** Fails where an event, delivery or attempt is not as it has to be once all is delivered. */
export async function assertSound({ query }: Cluster): Promise<void> {
  const none = async (what: string, sql: string) =>
    assert.deepEqual(await query(sql), [], `there is ${what}`)
  await none(
    'no delivery that is not delivered',
    "select id from deliveries where status <> 'delivered'",
  )
  await none('nothing left due', 'select id from due_deliveries')
  await none(
    'no event without its deliveries',
    // Grouped, as no index leads from an event to its deliveries.
    `with counted as materialized (
       select project_seq, event_seq, count(*) as count from deliveries group by 1, 2
     )
     select e.id from events e
       left join counted c on c.project_seq = e.project_seq and c.event_seq = e.seq
     where e.type = 'load.test' and coalesce(c.count, 0) <> 2`,
  )
  await none(
    'no hole in the numbers of attempts',
    `select d.id from deliveries d join attempts a
       on a.project_seq = d.project_seq and a.created_at = d.created_at and a.delivery_seq = d.seq
     group by d.id, d.attempt_count
     having count(*) <> d.attempt_count or max(a.number) <> d.attempt_count`,
  )
  await none(
    'no result under a lost lease: nothing was recorded after a success',
    `select delivery_seq from attempts where error is null
     group by project_seq, created_at, delivery_seq having count(*) <> 1`,
  )
}
