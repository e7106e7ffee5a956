import type { FieldError } from './errors.ts'

/** Checks data against JSON Schemas that customers wrote, so neither may be trusted with time. */
export interface EventSchemas {
  /**
   * What is wrong with a schema, as a sentence; null where it can be used.
   *
   * @param projectId Whose it is; empty for the operator's.
   * @throws AppError `overloaded` where its turn does not come in time.
   */
  problemOf(projectId: string, schema: string): Promise<string | null>
  /**
   * What is wrong with `data` (JSON text), each with its path below `data`; none where it fits.
   *
   * @param projectId Whose event it is: projects take turns.
   * @throws AppError `overloaded` where its turn does not come in time.
   */
  check(projectId: string, schema: string, data: string): Promise<FieldError[]>
}
