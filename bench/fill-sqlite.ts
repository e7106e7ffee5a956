import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import type { Filler, Filling } from './filler.ts'

interface SqliteFilling extends Filling {
  /** Deliveries go to so many endpoints in turn, from the first of the store on; absent: to one. */
  endpoints?: number
}

interface SqliteFiller extends Filler {
  fill(filling: SqliteFilling): Promise<void>
}

/**
 * The file in a data directory. A million events take half a minute; publishing them would take a
 * quarter of an hour.
 */
export function createSqliteFiller(dataDir: string): SqliteFiller {
  const file = join(dataDir, 'countersign.db')
  return {
    async fill(filling) {
      using database = new DatabaseSync(file)
      fill(database, filling)
    },

    async countEventsBefore(at) {
      using database = new DatabaseSync(file, { readOnly: true })
      const row = database
        .prepare('select count(*) as count from events where created_at < ?')
        .get(at)
      return Number(row?.count)
    },

    async setRetention(projectId, days) {
      using database = new DatabaseSync(file)
      database
        .prepare(
          `update projects set settings = json_set(settings, '$.retentionDays', ?) where id = ?`,
        )
        .run(days, projectId)
    },
  }
}

function fill(database: DatabaseSync, filling: SqliteFilling): void {
  // Nothing is lost that matters if this is cut off; the server sets its own mode when it opens.
  database.exec('pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -200000')
  const model = modelOf(database, filling.type)
  const last = lastSeqs(database)
  database.exec('begin')
  const stepMs = (filling.untilAt - filling.fromAt) / filling.count
  for (const copy of copiesOf(filling)) {
    insertCopies(database, copy, {
      count: filling.count,
      from_at: Math.floor(filling.fromAt),
      step_ms: stepMs,
      endpoints: filling.endpoints ?? 1,
      ...model,
      ...last,
    })
  }
  database.exec('commit; pragma journal_mode = wal')
}

/** A table, the row that is copied, and what each copy has of its own. */
interface Copy {
  table: 'events' | 'deliveries' | 'attempts'
  model: string
  own: Record<string, string>
}

const at = 'cast(:from_at + i * :step_ms as integer)'
/** As our own: a UUIDv7, so that the indices grow at one end. */
const id = (prefix: string) =>
  `'${prefix}_' || printf('%012x7%03x8%015x', ${at}, i & 4095, :last_event + i)`

function copiesOf({ status, endpoints }: SqliteFilling): Copy[] {
  const copies: Copy[] = [
    {
      table: 'events',
      model: ':model_event',
      own: {
        seq: ':last_event + i',
        id: id('evt'),
        first_delivery_seq: ':last_delivery + i',
        delivery_count: '1',
        created_at: at,
      },
    },
    {
      table: 'deliveries',
      model: ':model_delivery',
      own: {
        seq: ':last_delivery + i',
        id: id('dlv'),
        event_seq: ':last_event + i',
        created_at: at,
        ...(endpoints === undefined
          ? {}
          : { endpoint_seq: '(select min(seq) from endpoints) + i % :endpoints' }),
        ...(status === 'delivered'
          ? { completed_at: at }
          : {
              status: "'pending'",
              due_at: at,
              completed_at: 'null',
              attempt_count: '0',
              series_attempt_count: '0',
              last_status_code: 'null',
            }),
      },
    },
  ]
  if (status === 'delivered') {
    const own = {
      seq: ':last_attempt + i',
      id: id('att'),
      delivery_seq: ':last_delivery + i',
      started_at: at,
    }
    copies.push({ table: 'attempts', model: ':model_attempt', own })
  }
  return copies
}

function insertCopies(
  database: DatabaseSync,
  { table, model, own }: Copy,
  values: Record<string, SQLInputValue>,
): void {
  const columns = database
    .prepare('select name from pragma_table_info(?)')
    .all(table)
    .map(({ name }) => String(name))
  const sql = `with recursive numbers (i) as (
      values (1) union all select i + 1 from numbers where i < :count
    )
    insert into ${table} (${columns.join(', ')})
    select ${columns.map((column) => own[column] ?? `model.${column}`).join(', ')}
    from numbers cross join (select * from ${table} where seq = ${model}) as model`
  const named = Object.entries(values).filter(([name]) => new RegExp(`:${name}\\b`).test(sql))
  database.prepare(sql).run(Object.fromEntries(named))
}

/** The newest event that was delivered at its first attempt, with its delivery and attempt. */
function modelOf(database: DatabaseSync, type: string) {
  const row = database
    .prepare(
      `select d.event_seq as event, d.seq as delivery, a.seq as attempt
       from deliveries d
         join events e on e.seq = d.event_seq
         join attempts a on a.delivery_seq = d.seq
       where e.type = ? and d.status = 'delivered' and d.attempt_count = 1
       order by d.seq desc limit 1`,
    )
    .get(type)
  if (row === undefined) throw new Error('the store has no delivered event to copy')
  return {
    model_event: Number(row.event),
    model_delivery: Number(row.delivery),
    model_attempt: Number(row.attempt),
  }
}

function lastSeqs(database: DatabaseSync) {
  const last = (table: string) => {
    const row = database.prepare(`select max(seq) as seq from ${table}`).get()
    return Number(row?.seq ?? 0)
  }
  return {
    last_event: last('events'),
    last_delivery: last('deliveries'),
    last_attempt: last('attempts'),
  }
}
