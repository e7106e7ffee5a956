import type { BenchContext } from './bench-context.ts'
import { renderClaims } from './claims-report.ts'
import { renderHistory } from './history-report.ts'
import { measureClaims } from './measure-claims.ts'
import { measureDeadEndpoint } from './measure-dead-endpoint.ts'
import { measureHistory } from './measure-history.ts'
import { measureIdle, measureInstalledIdle } from './measure-idle.ts'
import { measureLatency } from './measure-latency.ts'
import { measureMemory } from './measure-memory.ts'
import { measureNeighbours } from './measure-neighbours.ts'
import { measureRounds } from './measure-rounds.ts'
import { measureShapes } from './measure-shapes.ts'
import { measureStarts } from './measure-start.ts'
import type { Mode } from './modes.ts'
import { neighbourFailuresOf, renderNeighbours } from './neighbours-report.ts'
import { type Attempted, type MeasuredRun, quietRun } from './quiet-run.ts'
import { readRecordedRatio } from './recorded-ratio.ts'
import { type ReportHead, renderReport } from './report.ts'
import { renderShapes, shapeFailuresOf } from './shapes-report.ts'
import { renderStarts } from './start-report.ts'
import { type BenchResult, failuresOf } from './summary.ts'

type Head = Omit<ReportHead, 'mode'>

/** Measures, and says in Markdown what it found. */
type Section = (
  context: BenchContext,
  head: Head,
) => Promise<{ report: string; failures?: string[] }>

/** What a mode measures. */
export function sectionOf(mode: Mode['name']): Section {
  return sections[mode] ?? measureWhole
}

/**
 * What the modes beside the plain ones measure and print. A mark that is not reached is no failure: a
 * delivery that is lost is.
 */
const sections: Partial<Record<Mode['name'], Section>> = {
  async shapes(context, head) {
    const rounds = await measureShapes(context)
    return { report: renderShapes(rounds, head), failures: shapeFailuresOf(rounds) }
  },
  async neighbours(context, head) {
    const rounds = await measureNeighbours(context)
    return { report: renderNeighbours(rounds, head), failures: neighbourFailuresOf(rounds) }
  },
  async start(context, head) {
    const { historyCount } = context.mode
    return { report: renderStarts(await measureStarts(context), { ...head, historyCount }) }
  },
  async claims(context, head) {
    const { historyCount, claimCount } = context.mode
    const runs = await measureClaims(context)
    return { report: renderClaims(runs, { ...head, historyCount, claimCount }) }
  },
  async history(context, head) {
    return { report: renderHistory(await measureHistory(context), head) }
  },
}

async function measureWhole(context: BenchContext, head: Head) {
  const { mode } = context
  const result: BenchResult = {
    ...head,
    mode: mode.name,
    rounds: await measureRounds(context),
    latency: mode.latencyEvents > 0 ? await further('latency', measureLatency, context) : null,
    dead:
      mode.deadPending > 0 ? await further('dead endpoint', measureDeadEndpoint, context) : null,
    memory: mode.memoryEvents > 0 ? await further('memory', measureMemory, context) : null,
    idle: mode.idleMs > 0 ? await further('idle', measureIdle, context) : null,
    installedIdle:
      mode.idleMs > 0 ? await further('idle, as installed', measureInstalledIdle, context) : null,
    recordedRatio: await readRecordedRatio(head.machine.cpuModel),
  }
  return { report: renderReport(result), failures: failuresOf(result) }
}

function further<T extends MeasuredRun>(
  name: string,
  measure: (context: BenchContext) => Promise<T>,
  context: BenchContext,
): Promise<Attempted<T>> {
  context.progress(name)
  return quietRun(context, name, () => measure(context))
}
