import pg from 'pg'
import { createStatements } from '../server/src/storage/postgres/connection.ts'
import { makeWeek, weekOf } from '../server/src/storage/postgres/partitions.ts'
import { toClient } from '../server/src/storage/postgres/pool.ts'
import type { Filler, Filling } from './filler.ts'

const weekMs = 7 * 86_400_000
/** Events of one statement: whoever interrupts the benchmark is heard in between. */
const fillStep = 50_000

/** A database that the server has migrated and written to. */
export function createPostgresFiller(url: string): Filler {
  return {
    fill: (filling) => withDriver(url, (driver) => fill(driver, filling)),

    countEventsBefore: (at) =>
      withDriver(url, async (driver) => {
        const sql = 'select count(*) as count from events where created_at < $1'
        return Number((await driver.query(sql, [at])).rows[0].count)
      }),

    setRetention: (projectId, days) =>
      withDriver(url, async (driver) => {
        await driver.query(
          `update projects
           set settings = jsonb_set(settings::jsonb, '{retentionDays}', to_jsonb($1::integer))::text
           where id = $2`,
          [days, projectId],
        )
      }),
  }
}

async function withDriver<T>(url: string, work: (driver: pg.Client) => Promise<T>): Promise<T> {
  const driver = new pg.Client({ connectionString: url })
  await driver.connect()
  try {
    return await work(driver)
  } finally {
    await driver.end()
  }
}

async function fill(driver: pg.Client, filling: Filling): Promise<void> {
  const { count, fromAt, untilAt } = filling
  const client = toClient(driver, createStatements())
  await driver.query('begin')
  for (let week = weekOf(fromAt); week <= untilAt; week += weekMs) await makeWeek(client, week)
  await driver.query('commit')
  // Nothing is lost that matters if this is cut off.
  await driver.query('set synchronous_commit = off')
  const model = await modelOf(driver, filling.type)
  const lastEvent = await takeNumbers(driver, 'event_seqs', count)
  const lastDelivery = await takeNumbers(driver, 'delivery_seqs', count)
  const inserts: string[] = []
  for (const copy of copiesOf(filling, model)) inserts.push(await insertOf(driver, copy))
  const stepMs = (untilAt - fromAt) / count
  for (let done = 0; done < count; done += fillStep) {
    const last = Math.min(done + fillStep, count)
    const values = [fromAt, stepMs, lastEvent, lastDelivery, done + 1, last]
    for (const insert of inserts) await driver.query(insert, values)
  }
  // What the server would do by itself while something is measured.
  await vacuum(driver)
  await driver.query('checkpoint')
}

/** As PostgreSQL does by itself: a partition gets statistics, the table of all of them never. */
async function vacuum(driver: pg.Client): Promise<void> {
  const { rows } = await driver.query<{ name: string }>(
    `select oid::regclass::text as name from pg_class
     where relkind = 'r' and relnamespace = current_schema()::regnamespace`,
  )
  await driver.query(`vacuum analyze ${rows.map(({ name }) => name).join(', ')}`)
}

/** The delivery that is copied, with its event and attempt. */
interface Model {
  project: string
  createdAt: string
  event: string
  delivery: string
}

/** The newest delivery of a type that took one attempt. */
async function modelOf(driver: pg.Client, type: string): Promise<Model> {
  const { rows } = await driver.query<Model>(
    `select d.project_seq as project, d.created_at as "createdAt", d.event_seq as event,
       d.seq as delivery
     from deliveries d
       join events e on e.project_seq = d.project_seq and e.created_at = d.created_at
         and e.seq = d.event_seq
     where e.type = $1 and d.status = 'delivered' and d.attempt_count = 1
     order by d.seq desc limit 1`,
    [type],
  )
  if (rows[0] === undefined) throw new Error('the store has no delivered event to copy')
  return rows[0]
}

/** Returns the number before the first of `count` that are taken, so that no server gives them out. */
async function takeNumbers(driver: pg.Client, sequence: string, count: number): Promise<number> {
  const { rows } = await driver.query<{ last: string; step: string }>(
    `select nextval($1) as last, seqincrement as step from pg_sequence
     where seqrelid = $1::text::regclass`,
    [sequence],
  )
  const [last, step] = [Number(rows[0]?.last), Number(rows[0]?.step)]
  await driver.query('select setval($1, $2::bigint)', [
    sequence,
    last + step * Math.ceil(count / step),
  ])
  return last
}

/** A table, the condition of the row that is copied, and what each copy has of its own. */
interface Copy {
  table: 'events' | 'deliveries' | 'attempts' | 'due_deliveries'
  from: string
  own: Record<string, string>
}

function copiesOf({ status }: Filling, model: Model): Copy[] {
  const inWeek = `project_seq = ${model.project} and created_at = ${model.createdAt}`
  const event = { created_at: 'at', seq: 'event', id: `'evt_' || uuid`, delivery_count: '1' }
  const delivery = {
    created_at: 'at',
    seq: 'delivery',
    event_seq: 'event',
    id: `'dlv_' || uuid`,
  }
  const waiting = { attempt_count: '0', series_attempt_count: '0' }
  const modelEvent = `from events where ${inWeek} and seq = ${model.event}`
  const modelDelivery = `from deliveries where ${inWeek} and seq = ${model.delivery}`
  const events: Copy = { table: 'events', from: modelEvent, own: event }
  if (status === 'delivered') {
    const attempt = {
      created_at: 'at',
      delivery_seq: 'delivery',
      started_at: 'at',
      id: `'att_' || uuid`,
    }
    const from = `from attempts where ${inWeek} and delivery_seq = ${model.delivery}`
    return [
      events,
      { table: 'deliveries', from: modelDelivery, own: { ...delivery, completed_at: 'at' } },
      { table: 'attempts', from, own: attempt },
    ]
  }
  const unfinished = {
    ...{ status: `'pending'`, completed_at: 'null', last_duration_ms: 'null' },
    last_status_code: 'null',
  }
  const due = { due_at: 'at', lease_until: '0', lease_token: '0' }
  return [
    events,
    {
      table: 'deliveries',
      from: modelDelivery,
      own: { ...delivery, ...waiting, ...unfinished },
    },
    { table: 'due_deliveries', from: modelDelivery, own: { ...delivery, ...waiting, ...due } },
  ]
}

async function insertOf(driver: pg.Client, { table, from, own }: Copy): Promise<string> {
  const { rows } = await driver.query<{ name: string }>(
    `select attname as name from pg_attribute
     where attrelid = $1::text::regclass and attnum > 0 and not attisdropped
     order by attnum`,
    [table],
  )
  const columns = rows.map(({ name }) => name)
  // The ids as our own: UUIDv7, so that the indexes grow at one end.
  return `with numbers as (
      select i, floor($1::float8 + i * $2::float8)::bigint as at, $3::bigint + i as event,
        $4::bigint + i as delivery
      from generate_series($5::bigint, $6::bigint) as i
    ), numbered as (
      select *, lpad(to_hex(at), 12, '0') || '7' || lpad(to_hex(i & 4095), 3, '0')
        || '8' || lpad(to_hex(event), 15, '0') as uuid
      from numbers
    )
    insert into ${table} (${columns.join(', ')})
    select ${columns.map((column) => own[column] ?? `model.${column}`).join(', ')}
    from numbered cross join (select * ${from}) as model`
}
