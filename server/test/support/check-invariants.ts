import assert from 'node:assert/strict'
import type { Select, TestStore } from './test-store.ts'

/** What a store holds, counted from its rows. */
export interface StoreFigures {
  eventCount: number
  attemptCount: number
  pendingCount: number
  /** Under `endpoint id/event id`. */
  deliveries: ReadonlyMap<string, { status: string; attemptCount: number }>
}

/**
 * Checks what delivery.md and rotation.md promise of every store at every moment, after whatever
 * fault: by SQL, in the rows themselves, so that no code of the product stands between. Works on a
 * store that was stopped, killed, or is running: it reads one snapshot and writes nothing.
 */
export function checkInvariants(
  store: TestStore,
  options: { acceptedIds?: Iterable<string> } = {},
): Promise<StoreFigures> {
  return store.read(async (select) => {
    for (const [sentence, query] of Object.entries({
      ...violations,
      ...ownViolations[store.kind],
    })) {
      const rows = await select(query)
      assert.deepEqual(rows.slice(0, rowsShownMax), [], `${rows.length} rows: ${sentence}`)
    }
    const stored = new Set((await select('select id from events')).map(({ id }) => id))
    const lost = [...(options.acceptedIds ?? [])].filter((id) => !stored.has(id))
    assert.deepEqual(lost, [], 'Every event that was answered 202 is in the store')
    return readFigures(select)
  })
}

/**
 * Everything of a project that an API call changes, as comparable rows. What a running server moves
 * by itself is left out: attempts, the progress of deliveries, health, last use.
 */
export function readState(store: TestStore, projectId: string): Promise<Record<string, unknown[]>> {
  return store.read(async (select) => {
    const state: Record<string, unknown[]> = {}
    for (const [name, query] of Object.entries(stateQueries)) {
      state[name] = await select(query, projectId)
    }
    return state
  })
}

/** How the deliveries of an event stand, in the order of their endpoints' creation. */
export function readDeliveries(
  store: TestStore,
  eventId: string,
): Promise<{ status: string; attemptCount: number; failureReason: string | null }[]> {
  return store.read(async (select) => {
    const rows = await select(
      `select d.status, d.attempt_count, d.failure_reason
       from events e join deliveries d on d.event_seq = e.seq where e.id = ? order by d.seq`,
      eventId,
    )
    return rows.map(({ status, attempt_count, failure_reason }) => ({
      status: String(status),
      attemptCount: Number(attempt_count),
      failureReason: failure_reason === null ? null : String(failure_reason),
    }))
  })
}

const rowsShownMax = 5

/** Each query finds what must not exist, in either store. */
const violations = {
  'An event has the deliveries that its answer counted': `
    select e.id, e.delivery_count, count(d.seq) as found
    from events e left join deliveries d on d.event_seq = e.seq
    group by e.seq, e.id, e.delivery_count having count(d.seq) <> e.delivery_count`,
  'A delivery belongs to an event and an endpoint of its own project': `
    select d.id from deliveries d
    left join projects p on p.seq = d.project_seq
    left join events e on e.seq = d.event_seq
    left join endpoints o on o.seq = d.endpoint_seq
    where p.id is null or e.project_seq is distinct from p.seq
      or o.project_id is distinct from p.id`,
  'An event is delivered to an endpoint by one delivery': `
    select event_seq, endpoint_seq from deliveries
    group by event_seq, endpoint_seq having count(*) > 1`,
  'A delivery is pending, or has come to an end': `
    select id, status, completed_at, failure_reason from deliveries
    where status not in ('pending', 'delivered', 'failed', 'skipped')
      or (status = 'pending') <> (completed_at is null)
      or (status = 'failed') <> (failure_reason is not null)`,
  'A pending delivery has data to send': `
    select d.id from deliveries d join events e on e.seq = d.event_seq
    where d.status = 'pending' and e.data is null`,
  'A delivery counts its attempts': `
    select d.id, d.attempt_count, count(a.number) as found
    from deliveries d left join attempts a on a.delivery_seq = d.seq
    group by d.seq, d.id, d.attempt_count having count(a.number) <> d.attempt_count`,
  'An attempt belongs to a delivery': `
    select id from attempts where delivery_seq not in (select seq from deliveries)`,
  'An attempt that was not answered with 2xx says why it failed': `
    select id, status_code from attempts
    where error is null and coalesce(status_code, 0) not between 200 and 299`,
  'A delivery is delivered by its last attempt': `
    select d.id, d.status, a.error
    from deliveries d join attempts a on a.delivery_seq = d.seq and a.number = d.attempt_count
    where (d.status = 'delivered') <> (a.error is null)
      and d.series_attempt_count > 0
    union all
    select id, status, null from deliveries where status = 'delivered' and attempt_count = 0`,
  'An endpoint that is not deleted can sign': `
    select id from endpoints e where deleted_at is null and not exists (
      select 1 from secrets s where s.endpoint_id = e.id and s.revoked_at is null
        and s.expiry_seen_at is null and s.sealed_value is not null)`,
  'Nothing of a deleted endpoint can be decrypted': `
    select s.id from secrets s join endpoints e on e.id = s.endpoint_id
    where e.deleted_at is not null and s.sealed_value is not null`,
  'An endpoint has its first secret and one for each rotation': `
    select e.id from endpoints e
    where (select count(*) from secrets s where s.endpoint_id = e.id)
      <> 1 + (select count(*) from rotations r where r.endpoint_id = e.id)`,
  'A rotation leads from one secret of its endpoint to another': `
    select r.id from rotations r
    left join secrets o on o.id = r.previous_secret_id and o.endpoint_id = r.endpoint_id
    left join secrets n on n.id = r.new_secret_id and n.endpoint_id = r.endpoint_id
    where o.id is null or n.id is null or o.id = n.id`,
  'A rotation has one audit row, and every such row its rotation': `
    select r.id, found.rotation_id, found.rows from rotations r
    full join (
      select details::json ->> 'rotation_id' as rotation_id, count(*) as rows
      from audit_rows where action = 'endpoint.secret.rotated' group by 1) found
      on found.rotation_id = r.id
    where r.id is null or found.rows is distinct from 1`,
  'A rotation has one operational event, and every such event its rotation': `
    select r.id, found.rotation_id, found.rows from rotations r
    full join (
      select data::json ->> 'rotation_id' as rotation_id, count(*) as rows
      from events where type = 'endpoint.secret.rotated' group by 1) found
      on found.rotation_id = r.id
    where r.id is null or found.rows is distinct from 1`,
  'An endpoint was created once, says the audit log': `
    select e.id, found.target_id, found.rows from endpoints e
    full join (
      select target_id, count(*) as rows
      from audit_rows where action = 'endpoint.created' group by 1) found
      on found.target_id = e.id
    where e.id is null or found.rows is distinct from 1`,
}

/** The same for what each store has in its own way. */
const ownViolations = {
  sqlite: {
    'The deliveries of an event are the row of numbers that it names': `
      select e.id, e.first_delivery_seq, min(d.seq) as first, max(d.seq) as last
      from events e left join deliveries d on d.event_seq = e.seq
      group by e.seq
      having min(d.seq) is not e.first_delivery_seq
        or max(d.seq) - min(d.seq) + 1 <> e.delivery_count`,
    'A delivery is scheduled, or final, never neither and never both': `
      select id, status, due_at from deliveries where (status = 'pending') <> (due_at is not null)`,
    'Attempts are numbered from 1 without holes, in the order of recording': `
      select delivery_seq, number, place from (
        select delivery_seq, number,
          row_number() over (partition by delivery_seq order by seq) as place
        from attempts)
      where number <> place`,
    'The file is whole': `select * from pragma_integrity_check where integrity_check <> 'ok'`,
  },
  postgres: {
    'A delivery is scheduled, or final, never neither and never both': `
      select d.id, q.id as due_id, d.attempt_count, q.attempt_count as due_attempt_count
      from (select * from deliveries where status = 'pending') d
      full join due_deliveries q on q.seq = d.seq
      where d.id is distinct from q.id or d.attempt_count <> q.attempt_count`,
    'What did not arrive is in the indexes of that': `
      select id, status, missed from deliveries
      where missed is distinct from case when status in ('failed', 'skipped') then status end`,
    // Rows of this store have no order; that no number is there twice its key sees to.
    'Attempts are numbered from 1 without holes': `
      select delivery_seq, min(number) as first, max(number) as last, count(*) as found
      from attempts group by delivery_seq
      having min(number) <> 1 or max(number) <> count(*)`,
    'An id of the caller leads to an event': `
      select c.id from caller_event_ids c
      left join events e on e.seq = c.seq and e.id = c.id
      where e.id is null`,
  },
}

const stateQueries = {
  project: 'select * from projects where id = ?',
  endpoints: `select id, uid, url, description, event_types, state, blocked_at, blocked_reason,
    signing_enabled, metadata, updated_at, deleted_at from endpoints
    where project_id = ? order by seq`,
  secrets: `select id, activates_at, expires_at, revoked_at, sealed_value is null
    from secrets where project_id = ? order by seq`,
  rotations: 'select * from rotations where project_id = ? order by seq',
  events: `select id, type, data, delivery_count from events
    where project_seq = (select seq from projects where id = ?) order by seq`,
  audit: 'select id, action, target_id from audit_rows where project_id = ? order by seq',
  announcements: `select * from announcements where project_id = ?
    order by rotation_id, secret_id, kind`,
  elsewhere: `select (select count(*) from projects) as projects,
    (select count(*) from idempotent_answers) as answers where ? <> ''`,
}

async function readFigures(select: Select): Promise<StoreFigures> {
  const rows = await select(
    `select o.id as endpoint_id, e.id as event_id, d.status, d.attempt_count
     from deliveries d
     join events e on e.seq = d.event_seq
     join endpoints o on o.seq = d.endpoint_seq`,
  )
  const countRows = async (table: string) =>
    Number((await select(`select count(*) as rows from ${table}`))[0]?.rows)
  return {
    eventCount: await countRows('events'),
    attemptCount: await countRows('attempts'),
    pendingCount: rows.filter(({ status }) => status === 'pending').length,
    deliveries: new Map(
      rows.map(({ endpoint_id, event_id, status, attempt_count }) => [
        `${endpoint_id}/${event_id}`,
        { status: String(status), attemptCount: Number(attempt_count) },
      ]),
    ),
  }
}
