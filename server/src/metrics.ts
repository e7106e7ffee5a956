import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { SortedResult } from './dispatcher/recorder.ts'
import type { CommittedChanges, Storage } from './storage/storage.ts'

/** What Prometheus sees. Names begin with `countersign_`; no project or endpoint labels. */
export interface Metrics {
  readonly contentType: string
  render(): Promise<string>
  eventsAccepted(count: number): void
  attemptsStored(batch: { results: readonly SortedResult[]; fencedCount: number }): void
  /** Deliveries that got a final status without a result of an attempt. */
  deliveriesEnded(counts: CommittedChanges['endedCounts']): void
  /** A commit of the store, synced. */
  committed(report: { durationMs: number }): void
  /** Where figures come from that are read when they are asked for. */
  watch(storage: WatchedStorage): void
  stop(): void
}

type WatchedStorage = Pick<Storage, 'backlog' | 'countOpenRotations' | 'countOverAge'>

const secondsBuckets = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
]

/** How finely the event loop is watched: often enough for a figure, rarely enough to cost nothing. */
const loopResolutionMs = 50

interface MetricsOptions {
  now: () => number
  /** The age limit of the instance; null: none. */
  secretMaxAgeDays: number | null
}

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const accepted = new Counter({
    name: 'countersign_events_accepted_total',
    help: 'Events answered with 202.',
    registers,
  })
  const deliveries = new Counter({
    name: 'countersign_deliveries_total',
    help: 'Deliveries that reached a final status.',
    labelNames: ['status'],
    registers,
  })
  const attempts = new Counter({
    name: 'countersign_attempts_total',
    help: 'Attempts recorded: success, or the error of the closed list.',
    labelNames: ['outcome'],
    registers,
  })
  const fenced = new Counter({
    name: 'countersign_attempts_fenced_total',
    help: 'Results that came after their lease was lost and changed nothing.',
    registers,
  })
  const histogram = (name: string, help: string) =>
    new Histogram({ name: `countersign_${name}_seconds`, help, buckets: secondsBuckets, registers })
  const firstAttemptDelay = histogram(
    'first_attempt_delay',
    'From the acceptance of an event to the start of the first attempt.',
  )
  const attemptDuration = histogram(
    'attempt_duration',
    'Duration of an attempt, from taking a connection to the end of the response.',
  )
  const storeDuration = histogram(
    'store_duration',
    'Duration of a commit of the store, which many writes share, synced to disk.',
  )
  const loop = watchEventLoop(registers)

  return {
    contentType: registry.contentType,
    render: () => registry.metrics(),
    eventsAccepted: (count) => accepted.inc(count),
    attemptsStored({ results, fencedCount }) {
      if (fencedCount > 0) fenced.inc(fencedCount)
      // Counted here and added once: a labelled increment costs more than the rest of this loop.
      const statusCounts = new Map<string, number>()
      const outcomeCounts = new Map<string, number>()
      for (const { result, next, firstAttemptDelayMs } of results) {
        if (next !== null && next.status !== 'pending') countOne(statusCounts, next.status)
        if (firstAttemptDelayMs !== null) firstAttemptDelay.observe(firstAttemptDelayMs / 1000)
        if (result.verdict.kind !== 'attempted') continue
        const { attempt } = result.verdict
        countOne(outcomeCounts, attempt.error ?? 'success')
        attemptDuration.observe(attempt.durationMs / 1000)
      }
      for (const [status, count] of statusCounts) deliveries.inc({ status }, count)
      for (const [outcome, count] of outcomeCounts) attempts.inc({ outcome }, count)
    },
    deliveriesEnded({ failed, skipped }) {
      if (failed > 0) deliveries.inc({ status: 'failed' }, failed)
      if (skipped > 0) deliveries.inc({ status: 'skipped' }, skipped)
    },
    committed: ({ durationMs }) => storeDuration.observe(durationMs / 1000),
    watch: (storage) => readWhenScraped(registers, { ...options, storage }),
    stop: () => void loop.disable(),
  }
}

function countOne(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

/** The worst of the time between two looks: a mean would hide what callers feel. */
function watchEventLoop(registers: Registry[]) {
  const delay = monitorEventLoopDelay({ resolution: loopResolutionMs })
  delay.enable()
  new Gauge({
    name: 'countersign_event_loop_lag_seconds',
    help: 'How late the event loop of the main thread was: the 99th percentile since the last look.',
    registers,
    collect() {
      const lateMs = delay.percentile(99) / 1e6 - loopResolutionMs
      this.set(Number.isFinite(lateMs) ? Math.max(0, lateMs) / 1000 : 0)
      delay.reset()
    },
  })
  return delay
}

function readWhenScraped(
  registers: Registry[],
  options: MetricsOptions & { storage: WatchedStorage },
): void {
  const { storage, now } = options
  new Gauge({
    name: 'countersign_oldest_due_seconds',
    help: 'How long the longest-due delivery has been waiting; 0 when none is.',
    registers,
    // A read of its own: gauges are read side by side, so that of another would come too late.
    async collect() {
      const { oldestDueAt } = await storage.backlog()
      this.set(oldestDueAt === null ? 0 : Math.max(0, now() - oldestDueAt) / 1000)
    },
  })
  new Gauge({
    name: 'countersign_backlog',
    help: 'Deliveries that are neither delivered nor given up.',
    registers,
    async collect() {
      this.set((await storage.backlog()).pending)
    },
  })
  new Gauge({
    name: 'countersign_rotations_open',
    help: 'Rotations that are staged, overlapping or held.',
    registers,
    async collect() {
      this.set((await storage.countOpenRotations(now())).open)
    },
  })
  new Gauge({
    name: 'countersign_rotations_held',
    help: 'Open rotations whose expiry is put off, as the receiver does not take the new secret.',
    registers,
    async collect() {
      this.set((await storage.countOpenRotations(now())).held)
    },
  })
  new Gauge({
    name: 'countersign_secrets_over_age',
    help: 'Endpoints whose newest secret is older than the policy allows.',
    registers,
    async collect() {
      const { secretMaxAgeDays: defaultMaxAgeDays } = options
      this.set(await storage.countOverAge({ now: now(), defaultMaxAgeDays }))
    },
  })
}
