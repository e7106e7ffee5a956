import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createIdFactory } from '../server/src/core/ids.ts'
import { openSqliteStorage } from '../server/src/storage/sqlite/open.ts'
import { createSamples } from '../server/src/storage/suite/samples-suite.ts'
import {
  type ClaimedStore,
  claimEndpoints,
  fillDatabase,
  medianClaimMs,
  prepareClaims,
  typeOf,
} from '../server/test/support/claim-churn.ts'
import { openNode, realClock } from '../server/test/support/postgres-nodes.ts'
import type { BenchContext } from './bench-context.ts'
import { startCpuMeter } from './cpu-meter.ts'
import { createSqliteFiller } from './fill-sqlite.ts'
import { type Attempted, type MeasuredRun, quietRun } from './quiet-run.ts'
import { createDataDir } from './store.ts'

/** Milliseconds of a claim, under churn, in a store that holds nothing else and in a full one. */
export interface ClaimsRun extends MeasuredRun {
  emptyMs: number
  fullMs: number
}

interface Store {
  node: ClaimedStore
  projectId: string
}

/** What is claimed stays so until it is recorded. */
const leaseMs = 600_000
const claimsPerRun = 40
const fillStep = 250_000
const progressStep = 1_000_000
const historyMs = 30 * 86_400_000
/** Longer than the filling takes: what waits is due when it is there. */
const backlogAgeMs = 3_600_000

/** The storage by itself, without a server: what a claim takes there is what it takes in one. */
export async function measureClaims(context: BenchContext): Promise<Attempted<ClaimsRun>[]> {
  const { mode, postgres, progress, isInTime } = context
  await using stores = new AsyncDisposableStack()
  const open = postgres === null ? openOnSqlite : openOnPostgres
  const empty = await open(context, stores, { isFull: false })
  const full = await open(context, stores, { isFull: true })
  const runs: Attempted<ClaimsRun>[] = []
  while (runs.length < mode.rounds && (runs.length === 0 || isInTime())) {
    const name = `round ${runs.length + 1} of ${mode.rounds}`
    const attempted = await quietRun(context, name, () => measureBoth(context, { empty, full }))
    const { emptyMs, fullMs } = attempted.run
    progress(`  ${emptyMs.toFixed(1)} ms empty, ${fullMs.toFixed(1)} ms full`)
    runs.push(attempted)
  }
  return runs
}

async function measureBoth(
  { postgres }: BenchContext,
  { empty, full }: { empty: Store; full: Store },
): Promise<ClaimsRun> {
  const databasePid = postgres?.pid ?? null
  const meter = startCpuMeter(databasePid === null ? {} : { database: databasePid })
  const emptyMs = await medianClaimMs(empty.node, empty.projectId, claimsPerRun)
  const fullMs = await medianClaimMs(full.node, full.projectId, claimsPerRun)
  return { emptyMs, fullMs, cpu: meter.finish(), failure: null }
}

type Open = (
  context: BenchContext,
  stores: AsyncDisposableStack,
  options: { isFull: boolean },
) => Promise<Store>

const openOnSqlite: Open = async ({ mode, progress }, stores, { isFull }) => {
  const dataDir = await createDataDir()
  stores.use(dataDir)
  const file = join(dataDir.path, 'countersign.db')
  const open = async (): Promise<ClaimedStore & AsyncDisposable> => {
    const newId = createIdFactory({ now: realClock.now, randomBytes })
    const storage = await openSqliteStorage({ file, clock: realClock, newId, leaseMs })
    const samples = createSamples({ storage, clock: realClock })
    return { storage, samples, clock: realClock, [Symbol.asyncDispose]: storage.close }
  }
  const first = await open()
  const projectId = await prepareClaims(first)
  // What is put in copies a delivered one.
  await first.samples.publish(projectId, { type: typeOf(0) })
  await first.samples.deliverAll()
  await first.storage.close()
  const filler = createSqliteFiller(dataDir.path)
  const { historyCount, claimCount } = mode
  const now = Date.now()
  const fill = (status: 'delivered' | 'pending', count: number, fromAt: number, untilAt: number) =>
    filler.fill({
      ...{ type: typeOf(0), status, count, fromAt, untilAt },
      endpoints: claimEndpoints,
    })
  for (let done = 0; isFull && done < historyCount; done += fillStep) {
    if (done % progressStep === 0)
      progress(`filling: ${done} of ${historyCount} finished deliveries`)
    // Whoever interrupts it is heard in between.
    await nextTurn()
    const atOf = (count: number) => now - backlogAgeMs - historyMs * (1 - count / historyCount)
    const count = Math.min(fillStep, historyCount - done)
    await fill('delivered', count, atOf(done), atOf(done + count))
  }
  if (isFull) {
    progress(`filling: ${claimCount} pending ones`)
    await fill('pending', claimCount, now - backlogAgeMs, now - 1)
  }
  const node = await open()
  stores.use(node)
  return { node, projectId }
}

const openOnPostgres: Open = async ({ mode, postgres, progress }, stores, { isFull }) => {
  const database = await postgres?.createDatabase()
  if (database === undefined) throw new Error('there is no database to claim from')
  stores.defer(() => database.drop())
  const node = await openNode(database.url, { leaseMs })
  stores.use(node)
  const projectId = await prepareClaims(node)
  if (isFull) {
    await fillDatabase(database.url, node, {
      pendingCount: mode.claimCount,
      finishedCount: mode.historyCount,
      onStep(count) {
        if (count % progressStep === 0) {
          progress(`filling: ${count} of ${mode.historyCount + mode.claimCount} deliveries`)
        }
      },
    })
  }
  return { node, projectId }
}
