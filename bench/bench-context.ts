import type { PostgresServer } from '../server/test/support/postgres-server.ts'
import type { Mode } from './modes.ts'
import type { Programs } from './programs.ts'
import type { Receiver } from './start-receiver.ts'

/** What every measurement of one `npm run bench` shares. */
export interface BenchContext {
  mode: Mode
  programs: Programs
  receiver: Receiver
  /** The server's entry file, started with `serve`. */
  entry: string
  /** Where servers have their stores; null: SQLite. */
  postgres: PostgresServer | null
  /** False once the mode's `repeatMsMax` is used up. */
  isInTime(): boolean
  /** Says what goes on, one line at a time. */
  progress(line: string): void
}
