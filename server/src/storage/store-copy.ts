/*
 * How everything in a store goes to another kind of store: the source names what it holds and reads
 * it out table by table, the target writes it. The names are those of the source's tables; a column
 * means the same in both, and times, ids and sealed values go over as they are.
 */

/** What a column holds. Truth values are 0 and 1. */
export type CopiedValue = string | number | null | Uint8Array

export type CopiedRow = Readonly<Record<string, CopiedValue>>

/** Everything that a store holds, at one instant. */
export interface StoreSource {
  /** In an order in which nothing comes before what it refers to. */
  tables: readonly { name: string; rowCount: number }[]
  /** In the order in which the rows were inserted. */
  rows(table: string): Iterable<CopiedRow>
  close(): void
}

/** A sealed value, and what its ciphertext is bound to. */
export interface SealedSample {
  sealed: Uint8Array
  context: string
}

/** An empty store that is being filled. Nobody sees any of it until `commit`. */
export interface StoreTarget {
  write(table: string, rows: readonly CopiedRow[]): Promise<void>
  /** How many rows came in that belong to this table of the source, as the target counts them. */
  countRows(table: string): Promise<number>
  /** Up to `limit` sealed values of each kind, from the oldest to the newest, read back. */
  sampleSealed(limit: number): Promise<SealedSample[]>
  /** Makes it the store that it is from now on, durably. */
  commit(): Promise<void>
  /** Leaves nothing behind unless it was committed. */
  close(): Promise<void>
}
