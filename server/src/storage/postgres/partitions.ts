import { lockPartitions } from './migrate.ts'
import type { Client, Pool } from './pool.ts'

const dayMs = 86_400_000
const weekMs = 7 * dayMs
/** The epoch began on a Thursday; weeks begin on Mondays. */
const firstMondayMs = 4 * dayMs
/** Weeks that are there before they are needed. */
const weeksAhead = 4

/** The tables of the history, and how full their pages are made. */
const tables = [
  { table: 'events', fillfactor: 100 },
  // A delivery is changed once, soon after it came: there has to be room beside it for each, in part
  // the room of those before. Measured: at 60 98 % find it there, at 80 73 %.
  { table: 'deliveries', fillfactor: 60 },
  { table: 'attempts', fillfactor: 100 },
]

/**
 * The history lies in one partition a week, made by the server itself. There is no default partition
 * that could fill in silence: a row without a partition is refused, and whoever writes sees to it
 * that there is one.
 */
export interface Partitions {
  /** Makes what is missing for rows of these times. Without a query where all is known to be there. */
  ensure(times: Iterable<number>): Promise<void>
  /** Makes those of this week and the next ones. */
  makeAhead(now: number): Promise<void>
  /**
   * Drops the partitions that hold only what was created before `before`, and nothing pending.
   * Returns when the week began in which `before` lies.
   */
  dropBefore(before: number): Promise<number>
  /** Another node may have dropped some: looks again when asked next. */
  forget(): void
}

export function createPartitions(pool: Pool): Partitions {
  const known = new Set<number>()

  async function make(starts: readonly number[]): Promise<void> {
    await pool.use(async (client) => {
      await client.command('begin')
      try {
        await lockPartitions(client)
        for (const start of starts) await makeWeek(client, start)
        await client.command('commit')
      } catch (error) {
        await client.command('rollback')
        throw error
      }
    })
    for (const start of starts) known.add(start)
  }

  async function ensure(times: Iterable<number>): Promise<void> {
    let missing: Set<number> | undefined
    for (const time of times) {
      const start = weekOf(time)
      if (!known.has(start)) missing = (missing ?? new Set()).add(start)
    }
    if (missing !== undefined) await make([...missing].sort((a, b) => a - b))
  }

  return {
    ensure,
    makeAhead: (now) =>
      ensure(Array.from({ length: weeksAhead + 1 }, (_, index) => now + index * weekMs)),
    forget: () => known.clear(),

    async dropBefore(before) {
      const starts = (await existing(pool)).filter((start) => start + weekMs <= before)
      for (const start of starts) if (await dropWeek(pool, start)) known.delete(start)
      return weekOf(before)
    },
  }
}

/** The Monday that the week of this time begins with. */
export function weekOf(time: number): number {
  return Math.floor((time - firstMondayMs) / weekMs) * weekMs + firstMondayMs
}

/** As `events_20261116`: by the Monday. */
function nameOf(table: string, start: number): string {
  return `${table}_${new Date(start).toISOString().slice(0, 10).replaceAll('-', '')}`
}

async function existing(pool: Pool): Promise<number[]> {
  const rows = await pool.connection.all<{ name: string }>(
    `select c.relname::text as name
     from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'events'::regclass
     order by c.relname`,
  )
  return rows.map(({ name }) => {
    const [year, month, day] = [name.slice(-8, -4), name.slice(-4, -2), name.slice(-2)]
    return Date.parse(`${year}-${month}-${day}T00:00:00.000Z`)
  })
}

/**
 * Makes what is missing for a week, in the running transaction. Attached, not created in place: that
 * would wait for everyone who uses the table, and they for it.
 */
export async function makeWeek(client: Client, start: number): Promise<void> {
  for (const { table, fillfactor } of tables) {
    const name = nameOf(table, start)
    const found = await client.connection.one<{ is_there: boolean }>(
      'select to_regclass(?::text) is not null as is_there',
      name,
    )
    if (found?.is_there) continue
    await client.command(`create table ${name} (like ${table}) with (fillfactor = ${fillfactor})`)
    await client.command(
      `alter table ${table} attach partition ${name} for values from (${start}) to (${start + weekMs})`,
    )
  }
}

/** False where something in it is still to be delivered. */
async function dropWeek(pool: Pool, start: number): Promise<boolean> {
  return pool.use(async (client) => {
    await client.command('begin')
    try {
      await lockPartitions(client)
      // Looked at first without the tables: a dead endpoint keeps its weeks for days.
      if (await isPending(client, start)) {
        await client.command('rollback')
        return false
      }
      // Those who hold the tables are waited for briefly: everyone else waits behind this.
      await client.command(`set local lock_timeout = '500ms'`)
      for (const { table } of tables) {
        await client.command(`drop table if exists ${nameOf(table, start)}`)
      }
      const mayGo = !(await isPending(client, start))
      if (mayGo) {
        await client.connection.run(
          'delete from caller_event_ids where created_at >= ? and created_at < ?',
          start,
          start + weekMs,
        )
      }
      await client.command(mayGo ? 'commit' : 'rollback')
      return mayGo
    } catch (error) {
      await client.command('rollback')
      throw error
    }
  })
}

async function isPending({ connection }: Client, start: number): Promise<boolean> {
  const row = await connection.one(
    'select 1 from due_deliveries where created_at >= ? and created_at < ? limit 1',
    start,
    start + weekMs,
  )
  return row !== undefined
}
