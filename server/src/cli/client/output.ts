import { styleText } from 'node:util'
import { isColorRefused } from '../../config.ts'
import type { CommandContext } from '../command-context.ts'

/** One column of a list. */
export interface Column<T> {
  title: string
  of(item: T): unknown
}

/** How a command shows what it got: JSON for programs, tables for people, tabs for other tools. */
export interface Output {
  readonly isJson: boolean
  readonly isTerminal: boolean
  /** One thing, with all that is known of it. */
  show(value: object): void
  /** Many things, one on a line. */
  list<T extends object>(items: readonly T[], columns: readonly Column<T>[]): void
  /** A sentence for a person; nothing where programs read. */
  say(sentence: string): void
  /** A sentence that must be seen, on standard error. */
  warn(sentence: string): void
  /** Text as it is. */
  write(text: string): void
}

export function createOutput(context: CommandContext, isJson: boolean): Output {
  const { stdout, stderr, environment } = context
  const isTerminal = stdout.isTTY === true
  const usesColor = isTerminal && !isColorRefused(environment)
  const dim = (text: string) =>
    usesColor ? styleText('dim', text, { validateStream: false }) : text
  const write = (text: string) => void stdout.write(text)
  return {
    isJson,
    isTerminal,
    write,
    show(value) {
      if (isJson) return write(`${JSON.stringify(toWire(value), null, 2)}\n`)
      const fields = Object.entries(toWire(value) as object)
      const width = Math.max(0, ...fields.map(([name]) => name.length))
      for (const [name, field] of fields) write(`${dim(name.padEnd(width))}  ${cellOf(field)}\n`)
    },
    list(items, columns) {
      if (isJson) return write(`${JSON.stringify(items.map(toWire), null, 2)}\n`)
      const rows = items.map((item) => columns.map(({ of }) => cellOf(of(item))))
      if (!isTerminal) return write(rows.map((row) => `${row.join('\t')}\n`).join(''))
      if (rows.length === 0) return write('None.\n')
      const titles = columns.map(({ title }) => title.toUpperCase())
      const widths = titles.map((title, index) =>
        Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)),
      )
      const line = (cells: readonly string[]) =>
        cells
          .map((cell, index) => cell.padEnd(widths[index] ?? 0))
          .join('  ')
          .trimEnd()
      write(`${dim(line(titles))}\n${rows.map((row) => `${line(row)}\n`).join('')}`)
    },
    say(sentence) {
      if (!isJson) write(`${sentence}\n`)
    },
    warn: (sentence) => void stderr.write(`${sentence}\n`),
  }
}

/** Members whose insides belong to whoever wrote them: their names stay. */
const opaque: ReadonlySet<string> = new Set(['data', 'metadata', 'headers', 'details', 'schema'])

/** The names that the API has on the wire, so that its reference tells of this output as well. */
export function toWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toWire)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      opaque.has(name) ? member : toWire(member),
    ]),
  )
}

/** One line of text that moves no cursor: what it shows may have been written by anyone. */
function cellOf(value: unknown): string {
  if (value === null || value === undefined) return '-'
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal.
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd')
}
