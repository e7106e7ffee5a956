import assert from 'node:assert/strict'
import type { Clock } from '../../core/clock.ts'
import type { NewEvent } from '../../core/event.ts'
import { limits } from '../../core/limits.ts'
import {
  type AcceptedEvent,
  type StorageConsumers,
  StorageOverloadedError,
  StorageUnavailableError,
  type Transaction,
} from '../storage.ts'
import type { Acceptor } from './accept-events.ts'
import type { Claims } from './claims.ts'
import type { Connection } from './connection.ts'
import { type Effect, type Effects, summarize } from './effects.ts'
import { isLocked, translateError } from './errors.ts'
import type { Subscriptions } from './subscriptions.ts'
import type { WriteGuard } from './write-guard.ts'

/**
 * Group commit. One transaction an event-loop turn takes all the work that waits, so that one sync
 * of the disk serves everyone who came in the meantime: batches grow by themselves under load, and
 * a lone write waits for nobody (performance.md, Design that won, 1).
 */
export interface Writer {
  transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  acceptEvents(events: readonly NewEvent[]): Promise<AcceptedEvent[]>
  /** Resolves when no transaction is open. */
  idle(): Promise<void>
  /** Refuses new work, resolves when all earlier work is committed. */
  close(): Promise<void>
}

export interface CommitReport {
  jobCount: number
  durationMs: number
}

/**
 * Deliveries stored and results recorded after which a commit takes no further job: a few events
 * for many endpoints must not hold the event loop much longer than many events for one.
 */
const effectsPerCommitMax = 10_000

/** How often a batch asks for the write lock: for about 5 s, with what the driver waits each time. */
const lockTriesMax = 80
const lockRetryMs = 10

/** One caller's work on its way into a commit. */
interface Job {
  /** How many events it brings; 0 for a unit of `transact`. */
  eventCount: number
  /** Runs inside the transaction. What it throws fails the whole batch. */
  run(): void | Promise<void>
  /** After the commit; `told` resolves when every consumer has applied the change. */
  settle(told: Promise<void>): void
  /** The batch was undone. */
  fail(error: StorageUnavailableError): void
}

export function createWriter(options: {
  connection: Connection
  guard: WriteGuard
  transaction: Transaction
  acceptor: Acceptor
  effects: Effects
  subscriptions: Subscriptions
  claims: Pick<Claims, 'apply'>
  clock: Clock
  consumers: () => StorageConsumers
  /** Called after a commit that removed something for good. */
  eraseLog: () => void
  observeCommit?: ((report: CommitReport) => void) | undefined
  /** Told when a whole batch was undone, because the store failed. */
  onFailure?: ((failure: StorageUnavailableError) => void) | undefined
}): Writer {
  const { connection, guard, acceptor, effects, subscriptions, claims, consumers } = options
  const { begin, commit, rollback, savepoint, release, undo } = prepare(connection)
  const queue: Job[] = []
  /** How many jobs at the head of the queue the running transaction has taken. */
  let takenCount = 0
  let queuedEventCount = 0
  let queuedUnitCount = 0
  let isClosed = false
  let isScheduled = false
  let flushing: Promise<void> | null = null

  function enqueue(job: Job): void {
    if (isClosed) throw new StorageUnavailableError('The store is closed.')
    const unitCount = job.eventCount === 0 ? 1 : 0
    // Counted apart: a flood of events must not keep the results of deliveries from being recorded.
    if (
      queuedEventCount + job.eventCount > limits.writeQueueMax ||
      queuedUnitCount + unitCount > limits.writeQueueMax
    ) {
      throw new StorageOverloadedError('The write queue is full.')
    }
    queue.push(job)
    queuedEventCount += job.eventCount
    queuedUnitCount += unitCount
    schedule()
  }

  function schedule(): void {
    if (isScheduled || flushing !== null || queue.length === 0) return
    isScheduled = true
    setImmediate(() => {
      isScheduled = false
      flushing = flush().finally(() => {
        flushing = null
        schedule()
      })
    })
  }

  /** The next job for the running transaction, unless that has grown large enough. */
  function takeNext(weight: number): Job | undefined {
    const job = queue[takenCount]
    if (job === undefined) return undefined
    const isFull =
      weight + Math.max(1, job.eventCount) > limits.writeBatchMax ||
      effects.mark() > effectsPerCommitMax
    if (isFull && takenCount > 0) return undefined
    takenCount += 1
    return job
  }

  /** Removes what the transaction took from the queue. */
  function finishBatch(): Job[] {
    const batch = queue.splice(0, takenCount)
    takenCount = 0
    for (const job of batch) {
      queuedEventCount -= job.eventCount
      queuedUnitCount -= job.eventCount === 0 ? 1 : 0
    }
    return batch
  }

  /**
   * Another program may hold the write lock, for a moment or for long. The driver would wait for it
   * with the whole event loop, so it is asked again and again instead, and everything else goes on.
   */
  async function beginPatiently(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        begin.run()
        return
      } catch (error) {
        if (!isLocked(error) || tries === lockTriesMax) throw error
        await new Promise((resolve) => setTimeout(resolve, lockRetryMs))
      }
    }
  }

  async function flush(): Promise<void> {
    const startedAt = options.clock.monotonic()
    try {
      await beginPatiently()
      guard.open()
      let weight = 0
      for (let job = takeNext(weight); job !== undefined; job = takeNext(weight)) {
        weight += Math.max(1, job.eventCount)
        if (job.eventCount === 0) acceptor.finish()
        // Awaiting only what is asynchronous keeps the hot path free of empty turns.
        const running = job.run()
        if (running !== undefined) await running
      }
      acceptor.finish()
      guard.close()
      commit.run()
    } catch (error) {
      // Where not even a transaction could begin, nobody who waits can be served.
      if (takenCount === 0) takenCount = queue.length
      const failure = undoBatch(error)
      options.onFailure?.(failure)
      for (const job of finishBatch()) job.fail(failure)
      return
    }
    const durationMs = options.clock.monotonic() - startedAt
    const told = announce(effects.takeAll())
    const batch = finishBatch()
    for (const job of batch) job.settle(told)
    options.observeCommit?.({ jobCount: batch.length, durationMs })
  }

  /** Memory first, then the dispatcher, then everyone else; the callers get their answers last. */
  function announce(committed: Effect[]): Promise<void> {
    claims.apply(committed)
    if (committed.some(({ kind }) => kind === 'erase')) options.eraseLog()
    const { handOff, onCommitted } = consumers()
    const deliveries = []
    for (const effect of committed) if (effect.kind === 'handOver') deliveries.push(effect.delivery)
    if (deliveries.length > 0) handOff?.take(deliveries)
    const changes = summarize(committed)
    if (changes === null || onCommitted === undefined) return Promise.resolve()
    return (async () => onCommitted(changes))()
  }

  function undoBatch(error: unknown): StorageUnavailableError {
    guard.close()
    try {
      // After a full disk or a failed write SQLite may have rolled back by itself.
      if (connection.database.isTransaction) rollback.run()
    } catch {
      // The next `begin` finds out whether the store can be used again.
    }
    forget(effects.undo(0))
    return asUnavailable(error)
  }

  /** Takes back what the undone part of a transaction told memory and the dispatcher. */
  function forget(undone: readonly Effect[]): void {
    acceptor.discard()
    const reservations = undone
      .filter((effect) => effect.kind === 'handOver')
      .map(({ lease: { endpointId }, dataBytes }) => ({ endpointId, dataBytes }))
    if (reservations.length > 0) consumers().handOff?.cancel(reservations)
    if (undone.some((effect) => effect.kind === 'touch')) subscriptions.forgetAll()
  }

  /** Runs `work` so that its failure undoes its own writes and no others. */
  async function runUnit<T>(work: (tx: Transaction) => Promise<T>): Promise<Outcome<T>> {
    const mark = effects.mark()
    savepoint.run()
    const overstay = watchTurn()
    try {
      const value = await work(options.transaction)
      guard.check()
      assert(!overstay.hasPassed(), 'A transaction awaited something other than its own members.')
      release.run()
      return { value, isTouching: effects.hasTouched(mark) }
    } catch (error) {
      // Where the store itself failed, nothing of the batch can be kept.
      guard.check()
      undo.run()
      release.run()
      forget(effects.undo(mark))
      return { error }
    } finally {
      overstay.stop()
    }
  }

  return {
    transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        let outcome: Outcome<T> | undefined
        enqueue({
          eventCount: 0,
          async run() {
            outcome = await runUnit(work)
          },
          settle(told) {
            assert(outcome !== undefined)
            if ('error' in outcome) return reject(outcome.error)
            const { value, isTouching } = outcome
            if (!isTouching) return resolve(value)
            told.then(() => resolve(value), reject)
          },
          fail: reject,
        })
      })
    },

    acceptEvents(events) {
      return new Promise((resolve, reject) => {
        if (events.length === 0) return resolve([])
        let accepted: AcceptedEvent[] = []
        enqueue({
          eventCount: events.length,
          run() {
            accepted = acceptor.acceptEvents(events)
          },
          settle: () => resolve(accepted),
          fail: reject,
        })
      })
    },

    async idle() {
      await flushing
    },

    async close() {
      isClosed = true
      while (queue.length > 0 || flushing !== null) {
        await flushing
        await new Promise((resolve) => setImmediate(resolve))
      }
    },
  }
}

type Outcome<T> = { value: T; isTouching: boolean } | { error: unknown }

/** The statements that frame transactions; they bypass the guard, which they open and close. */
function prepare(connection: Connection) {
  return {
    begin: connection.statement('begin immediate'),
    commit: connection.statement('commit'),
    rollback: connection.statement('rollback'),
    savepoint: connection.statement('savepoint unit'),
    release: connection.statement('release unit'),
    undo: connection.statement('rollback to unit'),
  }
}

/** Tells whether the event loop has turned: then something slow was awaited inside a transaction. */
function watchTurn(): { hasPassed(): boolean; stop(): void } {
  let hasTurned = false
  const immediate = setImmediate(() => {
    hasTurned = true
  })
  return { hasPassed: () => hasTurned, stop: () => clearImmediate(immediate) }
}

function asUnavailable(error: unknown): StorageUnavailableError {
  const translated = translateError(error)
  if (translated instanceof StorageUnavailableError) return translated
  return new StorageUnavailableError('The write failed and was undone.', { cause: translated })
}
