import type { QueryResult } from 'pg'
import { type BinaryElement, binaryArray, withoutNul } from './binary-array.ts'

/** What may stand for a mark in a statement. Lists become arrays of the type that the cast names. */
export type Value =
  | string
  | number
  | boolean
  | null
  | Uint8Array
  | readonly (string | number | boolean | null | Uint8Array)[]

/** A way to run statements. Every error is one of the port. */
export interface Connection {
  /** The first row, or undefined. */
  one<Row>(sql: string, ...values: readonly Value[]): Promise<Row | undefined>
  all<Row>(sql: string, ...values: readonly Value[]): Promise<Row[]>
  /** Runs a statement whose parameters are `?`; returns how many rows it changed. */
  run(sql: string, ...values: readonly Value[]): Promise<number>
  /** Runs a statement whose parameters are `:names`, for rows of many columns. */
  write(sql: string, row: Readonly<Record<string, Value>>): Promise<number>
}

/** A statement as the server takes it, prepared once on each connection under its name. */
export interface Statement {
  name: string
  text: string
  values: unknown[]
}

/**
 * Statements are written with the same marks as beside SQLite, so that the two adapters can be read
 * side by side: `?`, `?1` and `:name`. The number of different texts is bounded by the code.
 */
export interface Statements {
  of(sql: string, values: readonly Value[]): Statement
  named(sql: string, row: Readonly<Record<string, Value>>): Statement
}

interface Compiled {
  name: string
  text: string
  names: readonly string[]
  /** By place, from 0: what a mark that is cast to an array has for elements. */
  elements: readonly (BinaryElement | undefined)[]
}

/** A text in quotes, a cast, a named mark, a mark with or without number and with its own cast. */
const marks =
  /'[^']*'|::\w+|:([a-zA-Z]\w*)|\?(\d*)((?:::(bigint|integer|double precision|text|boolean|bytea)\[\])?)/g

export function createStatements(): Statements {
  const known = new Map<string, Compiled>()

  function compile(sql: string): Compiled {
    const found = known.get(sql)
    if (found !== undefined) return found
    const names: string[] = []
    const elements: (BinaryElement | undefined)[] = []
    let count = 0
    const text = sql.replace(marks, (mark, name?: string, digits?: string, cast = '', of?) => {
      if (name !== undefined) {
        if (!names.includes(name)) names.push(name)
        return `$${names.indexOf(name) + 1}`
      }
      if (digits === undefined) return mark
      const place = digits === '' ? ++count : Number(digits)
      elements[place - 1] ??= of as BinaryElement | undefined
      return `$${place}${cast}`
    })
    const compiled = { name: `s${known.size}`, text, names, elements }
    known.set(sql, compiled)
    return compiled
  }

  return {
    of(sql, values) {
      const { name, text, elements } = compile(sql)
      return { name, text, values: values.map((value, n) => storable(value, elements[n])) }
    },
    named(sql, row) {
      const { name, text, names } = compile(sql)
      return { name, text, values: names.map((column) => storable(row[column])) }
    },
  }
}

function storable(value: Value | undefined, element?: BinaryElement): unknown {
  if (typeof value === 'string') return withoutNul(value)
  if (!isList(value)) return value
  const bytes = element === undefined ? null : binaryArray(element, value)
  return bytes ?? value.map((item) => (typeof item === 'string' ? withoutNul(item) : item))
}

function isList(value: Value | undefined): value is Extract<Value, readonly unknown[]> {
  return Array.isArray(value)
}

export function createConnection(
  statements: Statements,
  query: (statement: Statement) => Promise<QueryResult>,
): Connection {
  const all = async <Row>(sql: string, values: readonly Value[]) => {
    const { rows } = await query(statements.of(sql, values))
    // The driver's rows are plain records; the row type stands beside each query.
    return rows as unknown as Row[]
  }
  const changed = async (statement: Statement) => (await query(statement)).rowCount ?? 0
  return {
    one: async <Row>(sql: string, ...values: readonly Value[]) => (await all<Row>(sql, values))[0],
    all: (sql, ...values) => all(sql, values),
    run: (sql, ...values) => changed(statements.of(sql, values)),
    write: (sql, row) => changed(statements.named(sql, row)),
  }
}
