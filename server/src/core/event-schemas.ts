import type { FieldError } from './errors.ts'

/** Checks data against JSON Schemas that customers wrote, so neither may be trusted with time. */
export interface EventSchemas {
  /** What is wrong with a schema, as a sentence; null where it can be used. */
  problemOf(schema: string): Promise<string | null>
  /** What is wrong with `data` (JSON text), each with its path below `data`; none where it fits. */
  check(schema: string, data: string): Promise<FieldError[]>
}
