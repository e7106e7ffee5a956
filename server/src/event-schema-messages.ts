import type { FieldError } from './core/errors.ts'

/** To the thread: a schema comes with its text once, then by its number alone. */
export interface SchemaQuestion {
  schema: { number: number; text?: string }
  /** JSON text to hold against it; absent: the question is whether the schema can be used. */
  data?: string
}

/** From the thread, in the order of the questions; the first message says that it has begun. */
export type SchemaAnswer =
  | { kind: 'ready' }
  | { kind: 'unusable'; problem: string }
  | { kind: 'checked'; errors: FieldError[] }
