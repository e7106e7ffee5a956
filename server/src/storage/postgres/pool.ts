import pg from 'pg'
import { StorageUnavailableError } from '../storage.ts'
import { type Connection, createConnection, type Statement, type Statements } from './connection.ts'
import { isConnectionLost, isFull, StandbyError, translateError } from './errors.ts'

/** Whatever hangs ends within these, so that nothing waits for long behind it. */
const statementTimeoutMs = 10_000
const lockTimeoutMs = 5_000
/**
 * Statements of a transaction follow each other at once. One that says nothing more belongs to a node
 * that was suspended, and everyone who meets with it waits: for less than `lockTimeoutMs`.
 */
const idleInTransactionTimeoutMs = 2_000
/** A server that is cut off ends no statement: then this end of the connection does. */
export const queryTimeoutMs = 12_000
export const connectTimeoutMs = 5_000
/**
 * Routers forget a line that is silent, some after four minutes, and tell neither end. The one that
 * listens may be silent for days, so it is probed from here on, and then every second.
 */
const keepAliveAfterMs = 10_000
/** After a connection that failed, none is tried for this long, and then twice as long each time. */
const restMinMs = 50
const restMaxMs = 2_000
/** How long a pool does with what it has where the server has no room for more. */
const fullForMs = 5_000
/** A connection that is cut off never says that it has ended. */
const endMsMax = 2_000

/**
 * Every query here is written for an index and for loops over few rows. The planner's statistics of a
 * table that fills and empties within seconds are always wrong, and with them it turns to scans and
 * hashes that cost a hundred times as much; so it is not asked. `jit` would compile each such plan.
 * The planner also takes a page of a list for a few rows, however long the history is, and then
 * workers that read and sort all of it look cheaper than the index whose order ends at the page.
 */
const pinnedPlans = [
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'join_collapse_limit=1',
  'max_parallel_workers_per_gather=0',
  'jit=off',
  'plan_cache_mode=force_generic_plan',
]

/** A database or a user may have other settings of these, with which values would be read wrongly. */
const pinnedForms = [
  'bytea_output=hex',
  'extra_float_digits=1',
  // The value is two words, and blanks end an option.
  'default_transaction_isolation=read\\ committed',
]

/** Connections that are made when needed, kept, and made anew when they are lost. */
export interface Pool {
  /** Each statement by itself, on any connection. */
  readonly connection: Connection
  /** Runs `work` with a connection of its own. */
  use<T>(work: (client: Client) => Promise<T>): Promise<T>
  end(): Promise<void>
}

/** One connection. Statements that do not wait for each other travel together. */
export interface Client {
  readonly connection: Connection
  query(statement: Statement): Promise<pg.QueryResult>
  /** Runs statements without parameters, and returns what the server calls the last one. */
  command(text: string): Promise<string>
}

/** What a connection to the database is made with. */
export function clientConfig(url: string): pg.ClientConfig {
  const { address, settings } = splitAddress(url)
  return {
    connectionString: address,
    application_name: 'countersign',
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: queryTimeoutMs,
    statement_timeout: statementTimeoutMs,
    lock_timeout: lockTimeoutMs,
    idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveAfterMs,
    pipeline: true,
    // Of two that set the same, the later one holds.
    options: [settings, ...[...pinnedPlans, ...pinnedForms].map((one) => `-c ${one}`)].join(' '),
    types,
  }
}

/** The driver takes `options` of an address, such as a search path, in place of ours, not beside them. */
function splitAddress(url: string): { address: string; settings: string } {
  const parsed = new URL(url)
  const settings = parsed.searchParams.get('options')
  if (settings === null) return { address: url, settings: '' }
  parsed.searchParams.delete('options')
  return { address: parsed.href, settings }
}

export function createPool(options: {
  url: string
  statements: Statements
  connectionsMax: number
  /** Told of each failure that says the store is unavailable. */
  onFailure: (error: StorageUnavailableError) => void
}): Pool {
  const pool = new pg.Pool({ ...clientConfig(options.url), max: options.connectionsMax })
  // A connection that is lost while nobody uses it; the next use makes another.
  pool.on('error', () => {})
  const checked = new WeakSet<pg.PoolClient>()
  let isEnded = false
  let isResting = false
  let restMs = restMinMs

  async function take(): Promise<pg.PoolClient> {
    if (isEnded) throw new StorageUnavailableError('The store is closed.')
    if (isResting) throw new StorageUnavailableError('The store cannot be reached now.')
    try {
      const client = await connect()
      if (!checked.has(client)) await admit(client)
      restMs = restMinMs
      return client
    } catch (error) {
      rest()
      throw translateError(error)
    }
  }

  /** Where the server has no room for one more, those that there are have to do. */
  async function connect(): Promise<pg.PoolClient> {
    for (;;) {
      try {
        return await pool.connect()
      } catch (error) {
        if (!isFull(error) || pool.totalCount === 0) throw error
        if (pool.options.max === options.connectionsMax) {
          setTimeout(() => {
            pool.options.max = options.connectionsMax
          }, fullForMs).unref()
        }
        pool.options.max = pool.totalCount
      }
    }
  }

  /** A node that took over from a failed one is read and written, never the one that stands by. */
  async function admit(client: pg.PoolClient): Promise<void> {
    // What goes wrong while it is in use is told by the statement that it goes wrong with.
    client.on('error', () => {})
    try {
      const { rows } = await client.query('select pg_is_in_recovery() as is_standby')
      if (rows[0]?.is_standby) throw new StandbyError()
      checked.add(client)
    } catch (error) {
      client.release(true)
      throw error
    }
  }

  function rest(): void {
    if (isResting) return
    isResting = true
    setTimeout(() => {
      isResting = false
    }, restMs).unref()
    restMs = Math.min(restMs * 2, restMaxMs)
  }

  async function use<T>(work: (client: Client) => Promise<T>): Promise<T> {
    try {
      const taken = await take()
      let isLost = false
      try {
        return await work(toClient(taken, options.statements))
      } catch (error) {
        isLost = error instanceof StorageUnavailableError && isConnectionLost(error.cause)
        throw error
      } finally {
        taken.release(isLost)
      }
    } catch (error) {
      if (error instanceof StorageUnavailableError) options.onFailure(error)
      throw error
    }
  }

  return {
    connection: createConnection(options.statements, (statement) =>
      use((client) => client.query(statement)),
    ),
    use,
    async end() {
      if (isEnded) return
      isEnded = true
      await endSoon(pool.end())
    },
  }
}

/** Waits for connections to end, but not for ever. */
export async function endSoon(ended: Promise<void>): Promise<void> {
  const timeout = Promise.withResolvers<void>()
  const timer = setTimeout(timeout.resolve, endMsMax)
  await Promise.race([ended.catch(() => {}), timeout.promise])
  clearTimeout(timer)
}

/** For a connection that is in no pool. Every error of its statements is one of the port. */
export function toClient(client: pg.ClientBase, statements: Statements): Client {
  const query = async (statement: Statement | string) => {
    try {
      return await client.query(statement)
    } catch (error) {
      throw translateError(error)
    }
  }
  return {
    connection: createConnection(statements, query),
    query,
    async command(text) {
      // The driver answers with a list where a text holds several statements.
      const results = [await query(text)].flat()
      return results.at(-1)?.command ?? ''
    },
  }
}

const int8 = 20
const int8Array = 1016
const bytea = 17

/** Whole numbers of 64 bits as numbers: times and counts stay far below 2^53. Bytes as they are. */
const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === int8) return Number
    if (oid === int8Array) return (text: string) => JSON.parse(`[${text.slice(1, -1)}]`)
    if (oid === bytea) {
      return (text: string) => Uint8Array.from(Buffer.from(text.slice(2), 'hex'))
    }
    return pg.types.getTypeParser(oid, format)
  },
}
