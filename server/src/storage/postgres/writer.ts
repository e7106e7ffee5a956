import type { Clock } from '../../core/clock.ts'
import type { NewEvent } from '../../core/event.ts'
import { limits } from '../../core/limits.ts'
import {
  type AcceptedEvent,
  type CommittedChanges,
  type StorageConsumers,
  StorageOverloadedError,
  StorageUnavailableError,
  type Transaction,
  type TransactOptions,
} from '../storage.ts'
import type { Acceptor } from './accept-events.ts'
import type { Claims } from './claims.ts'
import type { Connection } from './connection.ts'
import { createEffects, type Effects, reservationsOf, summarize } from './effects.ts'
import { isCollision, isWithoutPartition } from './errors.ts'
import { MustBeInOrder } from './held-endpoints.ts'
import type { Partitions } from './partitions.ts'
import type { Client, Pool } from './pool.ts'

/**
 * Everything that is written. Units of `transact` run beside each other, and the database sees to it
 * that it is as if they had run one after another. Events go in groups: one transaction takes all
 * that waits, so that batches grow by themselves under load, and a lone event waits for nobody.
 */
export interface Writer {
  transact<T>(work: (tx: Transaction) => Promise<T>, options?: TransactOptions): Promise<T>
  acceptEvents(events: readonly NewEvent[]): Promise<AcceptedEvent[]>
  /** Refuses new work, resolves when all earlier work is committed. */
  close(): Promise<void>
}

export interface CommitReport {
  jobCount: number
  durationMs: number
}

/**
 * How many of each kind run at a time; the rest waits in memory, not for a connection. Units that
 * record results wait for nobody: whoever records has one at a time.
 */
const unitsAtOnceMax = 8
const batchesAtOnceMax = 2
/** How often work is run that met with other work; the waits in between add up to a few seconds. */
const triesMax = 20
const retryMsMax = 250

interface EventsJob {
  events: readonly NewEvent[]
  resolve(accepted: AcceptedEvent[]): void
  reject(error: unknown): void
}

type Isolation = 'serializable' | 'read committed'

/**
 * `ordered`: as if transactions ran one after another. `interleavedResults`: records what became of
 * deliveries, beside others that do the same. `orderedResults`: the same in order, as it turned out to
 * change more than that.
 */
export type TransactionKind = 'ordered' | 'interleavedResults' | 'orderedResults'

export function createWriter(options: {
  pool: Pool
  createTransaction(
    connection: Connection,
    effects: Effects,
    kind: TransactionKind,
  ): {
    transaction: Transaction
    /** Writes what was held back until now. */
    flush(): Promise<void>
  }
  acceptor: Acceptor
  claims: Pick<Claims, 'apply'>
  partitions: Pick<Partitions, 'forget'>
  clock: Clock
  cacheTtlMs: number
  consumers: () => StorageConsumers
  /** Tells the other nodes. */
  notify: (changes: CommittedChanges, dueEndpointIds: ReadonlySet<string>) => void
  /** Evenly spread over 0 to 1. */
  randomFraction: () => number
  observeCommit?: ((report: CommitReport) => void) | undefined
}): Writer {
  const { pool, acceptor, claims, clock, consumers } = options
  const jobs: EventsJob[] = []
  const waitingUnits: (() => void)[] = []
  let queuedEventCount = 0
  let runningUnits = 0
  let interleavedUnits = 0
  let runningBatches = 0
  let isScheduled = false
  let isClosed = false
  let onIdle: (() => void) | null = null

  /** Runs `work` in a transaction, again where it met with another one. */
  async function commit<T>(
    isolation: Isolation,
    work: (client: Client, effects: Effects) => Promise<T>,
  ): Promise<{ value: T; effects: Effects }> {
    for (let tries = 1; ; tries += 1) {
      const effects = createEffects()
      try {
        const begin = beginOf(isolation, tries > 1)
        const value = await pool.use((client) => run(client, begin, () => work(client, effects)))
        return { value, effects }
      } catch (error) {
        const reservations = reservationsOf(effects.all)
        if (reservations.length > 0) consumers().handOff?.cancel(reservations)
        if (isWithoutPartition(error)) options.partitions.forget()
        else if (!isCollision(error)) throw error
        if (tries === triesMax) {
          throw new StorageUnavailableError('Others kept changing the same things.', {
            cause: error,
          })
        }
        const waitMs = Math.min(2 ** tries, retryMsMax) * options.randomFraction()
        await new Promise((resolve) => setTimeout(resolve, waitMs))
      }
    }
  }

  /** Memory first, then the dispatcher, then everyone else; the callers get their answers last. */
  function announce(effects: Effects): Promise<void> {
    claims.apply(effects.all)
    const { handOff, onCommitted } = consumers()
    const deliveries = []
    const dueEndpointIds = new Set<string>()
    for (const effect of effects.all) {
      if (effect.kind === 'handOver') deliveries.push(effect.delivery)
      else if (effect.kind === 'due' || effect.kind === 'retry' || effect.kind === 'hasten') {
        dueEndpointIds.add(effect.endpointId)
      }
    }
    if (deliveries.length > 0) handOff?.take(deliveries)
    const changes = summarize(effects.all)
    if (changes === null) return Promise.resolve()
    options.notify(changes, dueEndpointIds)
    return (async () => onCommitted?.(changes))()
  }

  function observe(startedAt: number, jobCount: number): void {
    options.observeCommit?.({ jobCount, durationMs: clock.monotonic() - startedAt })
  }

  async function commitUnit<T>(
    work: (tx: Transaction) => Promise<T>,
    kind: TransactionKind,
  ): Promise<{ value: T; effects: Effects }> {
    const isolation = kind === 'interleavedResults' ? 'read committed' : 'serializable'
    try {
      return await commit(isolation, async ({ connection }, own) => {
        const { transaction, flush } = options.createTransaction(connection, own, kind)
        const value = await work(transaction)
        await flush()
        await countUpSubscriptions(connection, own)
        return value
      })
    } catch (error) {
      if (!(error instanceof MustBeInOrder)) throw error
      return commitUnit(work, 'orderedResults')
    }
  }

  async function runUnit<T>(
    work: (tx: Transaction) => Promise<T>,
    { isInterleaved, isUnanswered }: Required<TransactOptions>,
  ): Promise<{ value: T; told: Promise<unknown> }> {
    const startedAt = clock.monotonic()
    const { value, effects } = await commitUnit(
      work,
      isInterleaved ? 'interleavedResults' : 'ordered',
    )
    const told = announce(effects)
    observe(startedAt, 1)
    if (!effects.hasTouched()) return { value, told: Promise.resolve() }
    // Other nodes may act on what they have read for as long as this.
    const mustAge = !isInterleaved && !isUnanswered && options.cacheTtlMs > 0
    const aged = mustAge ? wait(options.cacheTtlMs) : null
    return { value, told: Promise.all([told, aged]) }
  }

  async function takeTurn(): Promise<void> {
    if (waitingUnits.length >= limits.writeQueueMax) throw overloaded()
    if (runningUnits < unitsAtOnceMax) runningUnits += 1
    else await new Promise<void>((resolve) => waitingUnits.push(resolve))
  }

  function endTurn(): void {
    const next = waitingUnits.shift()
    // Whoever waited has the turn now.
    if (next !== undefined) next()
    else runningUnits -= 1
    checkIdle()
  }

  function endInterleaved(): void {
    interleavedUnits -= 1
    checkIdle()
  }

  function schedule(): void {
    if (isScheduled || jobs.length === 0 || runningBatches === batchesAtOnceMax) return
    isScheduled = true
    setImmediate(() => {
      isScheduled = false
      runningBatches += 1
      void runBatch(takeBatch()).finally(() => {
        runningBatches -= 1
        schedule()
        checkIdle()
      })
      schedule()
    })
  }

  function takeBatch(): EventsJob[] {
    const batch: EventsJob[] = []
    let eventCount = 0
    for (let job = jobs[0]; job !== undefined; job = jobs[0]) {
      if (batch.length > 0 && eventCount + job.events.length > limits.writeBatchMax) break
      jobs.shift()
      batch.push(job)
      eventCount += job.events.length
    }
    queuedEventCount -= eventCount
    return batch
  }

  async function runBatch(batch: readonly EventsJob[]): Promise<void> {
    const startedAt = clock.monotonic()
    const events = batch.flatMap((job) => job.events)
    try {
      const { value: accepted, effects } = await commit('read committed', ({ connection }, own) =>
        acceptor.acceptEvents({ connection, effects: own }, events),
      )
      void announce(effects)
      let from = 0
      for (const job of batch) {
        job.resolve(accepted.slice(from, from + job.events.length))
        from += job.events.length
      }
      observe(startedAt, batch.length)
    } catch (error) {
      const failure = asUnavailable(error)
      for (const job of batch) job.reject(failure)
    }
  }

  function isIdle(): boolean {
    return runningUnits + interleavedUnits === 0 && runningBatches === 0 && jobs.length === 0
  }

  function checkIdle(): void {
    if (isIdle()) onIdle?.()
  }

  return {
    async transact(work, { isInterleaved = false, isUnanswered = false } = {}) {
      if (isClosed) throw new StorageUnavailableError('The store is closed.')
      if (isInterleaved) interleavedUnits += 1
      else await takeTurn()
      const running = runUnit(work, { isInterleaved, isUnanswered })
      const { value, told } = await running.finally(isInterleaved ? endInterleaved : endTurn)
      await told
      return value
    },

    async acceptEvents(events) {
      if (isClosed) throw new StorageUnavailableError('The store is closed.')
      if (events.length === 0) return []
      if (queuedEventCount + events.length > limits.writeQueueMax) throw overloaded()
      return new Promise((resolve, reject) => {
        jobs.push({ events, resolve, reject })
        queuedEventCount += events.length
        schedule()
      })
    },

    async close() {
      isClosed = true
      if (isIdle()) return
      await new Promise<void>((resolve) => {
        onIdle = resolve
      })
    },
  }
}

/**
 * A transaction that has met with another one runs alone the next time: those in order wait for each
 * other then. Otherwise long ones would lose against many short ones again and again, the more so as
 * in small tables everything lies on one page, and the database sees a collision in that. The lock is
 * taken before the first look at the data, so that nothing is seen that is old by then.
 */
function beginOf(isolation: Isolation, isAlone: boolean): string {
  if (isolation === 'read committed') return 'begin isolation level read committed'
  const mode = isAlone ? 'exclusive' : 'row share'
  return `begin isolation level serializable; lock table unit_order in ${mode} mode`
}

async function run<T>(client: Client, begin: string, work: () => Promise<T>): Promise<T> {
  try {
    // They travel together: nothing is waited for between them.
    const [, value] = await Promise.all([client.command(begin), work()])
    const outcome = await client.command('commit')
    // The server ends a transaction in which something failed so, whoever caught the error.
    if (outcome !== 'COMMIT') throw new Error('The transaction was undone.')
    return value
  } catch (error) {
    // Where not even this succeeds, the connection is not used again.
    await client.command('rollback')
    throw error
  }
}

/** Last, so that the project's row is locked for as short as can be. */
async function countUpSubscriptions(connection: Connection, effects: Effects): Promise<void> {
  const ids = effects.resubscribedIds()
  if (ids.length === 0) return
  await connection.run(
    `update projects set subscriptions_version = subscriptions_version + 1
     where id = any(?::text[])`,
    ids,
  )
}

/** Timers may fire a little early; what is waited for must have passed. */
function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms + 2))
}

function overloaded(): StorageOverloadedError {
  return new StorageOverloadedError('The write queue is full.')
}

function asUnavailable(error: unknown): StorageUnavailableError {
  if (error instanceof StorageUnavailableError) return error
  return new StorageUnavailableError('The write failed and was undone.', { cause: error })
}
