import { createPostgresFiller } from './fill-postgres.ts'
import { createSqliteFiller } from './fill-sqlite.ts'

/** What is put into the store of a server that is stopped. */
export interface Filling {
  /** The event type that is copied. */
  type: string
  count: number
  /** Finished, with one attempt each, or due now and never tried. */
  status: 'delivered' | 'pending'
  /** Spread evenly from the one to the other, in milliseconds since the epoch. */
  fromAt: number
  untilAt: number
}

/** Writes to a store past all code of the product: what would take long to publish is there soon. */
export interface Filler {
  /**
   * Puts in events with one delivery each, as copies of the newest event of a type that was
   * delivered, with ids and times of their own. The server must be stopped, and must have delivered
   * one.
   */
  fill(filling: Filling): Promise<void>
  /** How many events there are that were accepted before a time; the server may be running. */
  countEventsBefore(at: number): Promise<number>
  /** Sets how long one project keeps its events; the server must be stopped. */
  setRetention(projectId: string, days: number): Promise<void>
}

/** Of the store in a database, or, where there is none, in the data directory. */
export function fillerOf(store: { databaseUrl: string | null; dataDir: string }): Filler {
  const { databaseUrl, dataDir } = store
  return databaseUrl === null ? createSqliteFiller(dataDir) : createPostgresFiller(databaseUrl)
}
