import { styleText } from 'node:util'
import type { DemoSlice, DemoTotals } from './demo-figures.ts'

/** What the demo shows at one moment. Times are in milliseconds from its start. */
export interface DemoMoment {
  atMs: number
  totalMs: number
  sliceMs: number
  slices: readonly DemoSlice[]
  /** Oldest first. */
  secrets: readonly { id: string; name: string }[]
  /** Which secrets the receiver accepts, from when on. */
  trusts: readonly { atMs: number; what: string }[]
  totals: DemoTotals
  /** What has happened so far. */
  story: readonly { atMs: number; text: string }[]
}

/** Width of the picture. A line that wraps could not be drawn over. */
export const demoColumns = 80
/** Slices of the time line: what is left beside the names and the rate. */
export const demoSliceCount = 54

/** The moment as lines of text: which secret signs when, who trusts it, and what arrives. */
export function drawDemo(moment: DemoMoment, options: { usesColor: boolean }): string[] {
  const { secrets, slices, trusts, totals, story } = moment
  const paint = (style: Style, text: string) =>
    options.usesColor ? styleText(style, text, { validateStream: false }) : text
  const row = (name: string, cells: string) => `  ${name.padEnd(nameWidth)}${cells}`
  const visible = slices.slice(0, demoSliceCount)

  return [
    row('', paint('dim', drawAxis(moment))),
    ...secrets.map(({ id, name }, index) => {
      const cells = visible.map((slice) => (slice.secretIds.has(id) ? '█' : ' ')).join('')
      return row(`${name} signs`, paint(index === 0 ? 'cyan' : 'green', cells))
    }),
    row('receiver trusts', drawTrust(moment, trusts)),
    row('delivered', `${drawBars(visible)} ${ratePerSecond(moment)}/s`),
    '',
    `  ${totals.published} accepted   ${totals.delivered} delivered   ${paint(
      totals.rejected === 0 ? 'green' : 'red',
      `${totals.rejected} rejected`,
    )}   ${totals.lost} on the way`,
    '',
    ...story.map((entry) => `  ${paint('dim', seconds(entry.atMs))}  ${entry.text}`),
  ]
}

/** The same moment in one line, for where nothing can be drawn over. */
export function describeDemo(moment: DemoMoment): string {
  const { totals, secrets, trusts } = moment
  // The slice before the current one, which is only half full.
  const signing = moment.slices.at(-2)?.secretIds ?? new Set()
  const names = secrets.filter(({ id }) => signing.has(id)).map(({ name }) => name)
  return [
    `${seconds(moment.atMs)}  signed by ${names.join(' + ') || 'nothing yet'}`,
    `receiver trusts ${trusts.at(-1)?.what ?? 'nothing yet'}`,
    `${totals.delivered} delivered (${ratePerSecond(moment)}/s)`,
    `${totals.rejected} rejected`,
  ].join(', ')
}

/** `6.0 s`, so that all of them stand in a column. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`.padStart(6)
}

type Style = 'dim' | 'cyan' | 'green' | 'red'

const nameWidth = 16
const axisMarks = 6
const bars = ' ▁▂▃▄▅▆▇█'

function cellOf(moment: DemoMoment, atMs: number): number {
  return Math.floor(atMs / moment.sliceMs)
}

function drawAxis(moment: DemoMoment): string {
  const stepMs = Math.ceil(moment.totalMs / axisMarks / 1000) * 1000
  let line = ''
  for (let atMs = 0; atMs < moment.totalMs; atMs += stepMs) {
    line = `${line.padEnd(cellOf(moment, atMs))}${atMs / 1000} s`
  }
  return line
}

/** `old·········both···new······`, up to now. */
function drawTrust(moment: DemoMoment, trusts: DemoMoment['trusts']): string {
  const line = trusts.reduce(
    (drawn, { atMs, what }) => `${drawn.padEnd(cellOf(moment, atMs), '·')}${what}`,
    '',
  )
  const width = Math.min(moment.slices.length, demoSliceCount)
  return line === '' ? '' : line.padEnd(width, '·')
}

function drawBars(slices: readonly DemoSlice[]): string {
  const most = Math.max(1, ...slices.map(({ delivered }) => delivered))
  return slices
    .map(({ delivered }) => bars[Math.ceil((delivered / most) * (bars.length - 1))] ?? ' ')
    .join('')
}

/** Over the last second or so of full slices. */
function ratePerSecond({ slices, sliceMs }: DemoMoment): number {
  const full = slices.slice(0, -1).slice(-Math.ceil(1000 / sliceMs))
  if (full.length === 0) return 0
  const delivered = full.reduce((sum, slice) => sum + slice.delivered, 0)
  return Math.round((delivered * 1000) / (full.length * sliceMs))
}
