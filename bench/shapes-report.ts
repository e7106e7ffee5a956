import { median, spreadOf } from './figures.ts'
import { goal } from './marks.ts'
import type { DeliveryRun } from './measure-delivery.ts'
import { type Shape, type ShapesRound, shapes } from './measure-shapes.ts'
import type { Attempted } from './quiet-run.ts'
import { machineLines, type ReportHead, table } from './report.ts'
import { spreadText } from './summary.ts'

/** What all rounds say of one shape; each list has one value a round. */
export interface ShapeFigures {
  shape: Shape
  /** Deliveries a second; events, where there is no endpoint. */
  rates: number[]
  /** Rate over that of the round's ceiling, which sends 1 KB under one signature. */
  ratios: number[]
  /** CPU of the server for a delivery, in microseconds; NaN where it cannot be seen. */
  cpuUs: number[]
  /** The same over that of the round's first shape. */
  cpuRatios: number[]
  isDisturbed: boolean
}

export function shapeFiguresOf(rounds: readonly ShapesRound[]): ShapeFigures[] {
  return shapes.map((shape, index) => {
    const each = rounds.flatMap(({ ceiling, runs }) => {
      const [first, own] = [runs[0], runs[index]]
      return first === undefined || own === undefined ? [] : [{ ceiling, first, own }]
    })
    return {
      shape,
      rates: each.map(({ own }) => own.run.rate),
      ratios: each.map(({ own, ceiling }) => own.run.rate / ceiling.run.rate),
      cpuUs: each.map(({ own }) => serverUs(own, shape)),
      cpuRatios: each.map(
        ({ own, first }) => serverUs(own, shape) / serverUs(first, { fanOut: 1 }),
      ),
      isDisturbed: each.some(({ own, ceiling }) => own.isDisturbed || ceiling.isDisturbed),
    }
  })
}

/** Why the shapes as a whole have failed; empty where they have not. */
export function shapeFailuresOf(rounds: readonly ShapesRound[]): string[] {
  return rounds.flatMap(({ ceiling, runs }, round) =>
    [ceiling, ...runs].flatMap(({ run }, index) => {
      const name = index === 0 ? 'ceiling' : shapes[index - 1]?.name
      return run.failure === null ? [] : [`round ${round + 1}, ${name}: ${run.failure}`]
    }),
  )
}

/** The section of results.md on shapes. */
export function renderShapes(
  rounds: readonly ShapesRound[],
  head: Omit<ReportHead, 'mode'>,
): string {
  const failures = shapeFailuresOf(rounds)
  const ceiling = spreadOf(rounds.map((round) => round.ceiling.run.rate))
  return [
    ...machineLines({ ...head, mode: 'shapes' }),
    '',
    `Ceiling: ${spreadText(ceiling)} deliveries/s of 1 KB under one signature. ${rounds.length} ` +
      'rounds, each shape once in each; (!) where others used the machine. Median (min–max).',
    '',
    ...table(
      [
        'shape',
        'deliveries/s (for no endpoint: events/s)',
        'ratio to the ceiling',
        'server, CPU µs',
        'over one by one',
        'goal',
      ],
      shapeFiguresOf(rounds).map((figures) => [
        figures.shape.name + (figures.isDisturbed ? ' (!)' : ''),
        spreadText(spreadOf(figures.rates)),
        spreadText(spreadOf(figures.ratios), 3),
        cpuText(figures.cpuUs, 1),
        cpuText(figures.cpuRatios, 2),
        goalText(figures),
      ]),
    ),
    ...(failures.length > 0 ? ['', '**Failed**', ...failures.map((line) => `- ${line}`)] : []),
    '',
  ].join('\n')
}

function serverUs({ run }: Attempted<DeliveryRun>, { fanOut }: Pick<Shape, 'fanOut'>): number {
  return (run.cpu.usByProcess.server ?? Number.NaN) / (fanOut === 0 ? run.accepted : run.unique)
}

function cpuText(values: readonly number[], digits: number): string {
  return values.some(Number.isNaN) ? '–' : spreadText(spreadOf(values), digits)
}

function goalText({ shape, ratios, cpuRatios }: ShapeFigures): string {
  const at = (aim: number) => `ratio ${aim.toFixed(2)}: ${verdict(median(ratios) >= aim)}`
  if (shape.batch > 1) return at(goal.batchRatio)
  if (shape.fanOut === 10) return at(goal.fanOutRatio)
  if (shape.signatures === 3) {
    const isReached = median(cpuRatios) <= goal.threeSignaturesCpu
    return `CPU at most ${goal.threeSignaturesCpu}: ${verdict(isReached)}`
  }
  return '–'
}

function verdict(isReached: boolean): string {
  return isReached ? 'reached' : '**not reached**'
}
