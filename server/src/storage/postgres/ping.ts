import type { Clock } from '../../core/clock.ts'
import { type Storage, StorageUnavailableError } from '../storage.ts'
import type { Connection } from './connection.ts'
import { isDamage } from './errors.ts'
import { knownVersion } from './migrate.ts'
import type { Writer } from './writer.ts'

/** What is remembered of the store's failures. */
export interface Failures {
  /** To be told whenever the store fails. */
  note(error: StorageUnavailableError): void
  /** The first damage that was found; it does not go away while the store is open. */
  readonly damage: StorageUnavailableError | null
}

export function createFailures(): Failures {
  let damage: StorageUnavailableError | null = null
  return {
    note(error) {
      if (isDamage(error)) damage ??= error
    },
    get damage() {
      return damage
    },
  }
}

/**
 * Shows that the store can be read and written, and has the schema that this build needs; a newer one
 * is fine, for nodes of both builds run side by side while an upgrade goes round.
 */
export function createPing(options: {
  failures: Failures
  reader: Connection
  transact: Writer['transact']
  clock: Clock
}): Storage['ping'] {
  const { failures, reader, transact, clock } = options
  return async () => {
    if (failures.damage !== null) throw failures.damage
    const row = await reader.one<{ version: number }>(
      'select max(version) as version from schema_migrations',
    )
    if ((row?.version ?? 0) < knownVersion()) {
      throw new StorageUnavailableError('The store has an older schema than this build needs.')
    }
    const value = new TextEncoder().encode(String(clock.now()))
    await transact((tx) => tx.setMeta('last_ping_at', value), { isInterleaved: true })
  }
}
