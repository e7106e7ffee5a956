import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchContext } from './bench-context.ts'
import { type CpuUse, foreignCoresMax, startCpuMeter } from './cpu-meter.ts'

/** What every measured run tells. */
export interface MeasuredRun {
  cpu: Pick<CpuUse, 'foreignCores'>
  /** Why this run does not count, or null. */
  failure: string | null
}

/** A measurement together with what it took to get it. */
export interface Attempted<T> {
  run: T
  attempts: number
  /** True when every attempt was disturbed by others; the figures are kept, and say so. */
  isDisturbed: boolean
}

const sampleMs = 300

/**
 * Waits for a quiet machine, measures, and measures again while others used the machine meanwhile,
 * at most `mode.attemptsMax` times and not after the mode's time is used up. When no run was quiet
 * the quietest is taken. Where foreign load cannot be seen the first one counts. A failed run is
 * never repeated: a lost event is lost, whoever else was at work.
 */
export async function quietRun<T extends MeasuredRun>(
  context: Pick<BenchContext, 'progress' | 'isInTime'> & {
    mode: Pick<BenchContext['mode'], 'attemptsMax' | 'quietWaitMsMax'>
  },
  name: string,
  measure: () => Promise<T>,
): Promise<Attempted<T>> {
  const { mode, progress, isInTime } = context
  await waitUntilQuiet(mode.quietWaitMsMax)
  let quietest = await measure()
  let attempts = 1
  progress(`  ${name}: ${outcomeOf(quietest)}`)
  while (isVoid(quietest) && attempts < mode.attemptsMax && isInTime()) {
    const run = await measure()
    attempts += 1
    progress(`  ${name}, again: ${outcomeOf(run)}`)
    if (run.failure !== null || foreignCoresOf(run) < foreignCoresOf(quietest)) quietest = run
  }
  return { run: quietest, attempts, isDisturbed: isDisturbed(quietest) }
}

/** Waits until the machine is idle, but no longer than `msMax`. */
async function waitUntilQuiet(msMax: number): Promise<void> {
  const deadline = performance.now() + msMax
  while (performance.now() < deadline) {
    const meter = startCpuMeter({})
    await sleep(sampleMs)
    const { foreignCores } = meter.finish()
    if (foreignCores === null || foreignCores <= foreignCoresMax) return
  }
}

function isVoid(run: MeasuredRun): boolean {
  return run.failure === null && isDisturbed(run)
}

function isDisturbed(run: MeasuredRun): boolean {
  return foreignCoresOf(run) > foreignCoresMax
}

function foreignCoresOf(run: MeasuredRun): number {
  return run.cpu.foreignCores ?? 0
}

function outcomeOf(run: MeasuredRun & { rate?: number }): string {
  if (run.failure !== null) return `FAILED: ${run.failure}`
  const rate = run.rate === undefined ? 'done' : `${Math.round(run.rate)} events/s`
  return isDisturbed(run)
    ? `${rate}, void: others used ${foreignCoresOf(run).toFixed(2)} core`
    : rate
}
