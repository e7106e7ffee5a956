import type { Clock } from '../../core/clock.ts'
import { limits } from '../../core/limits.ts'
import type { Storage, StorageUnavailableError } from '../storage.ts'
import type { Connection } from './connection.ts'
import { isDamage } from './errors.ts'
import type { Writer } from './writer.ts'

/** What is remembered of the store's failures. */
export interface Failures {
  /** To be told whenever the store fails. */
  note(error: StorageUnavailableError): void
  /** Something has failed since the last time that this was set to false. */
  isDoubted: boolean
  /** The first damage that was found; it does not go away while the store is open. */
  readonly damage: StorageUnavailableError | null
}

export function createFailures(): Failures {
  let damage: StorageUnavailableError | null = null
  return {
    note(error) {
      this.isDoubted = true
      if (isDamage(error)) damage ??= error
    },
    isDoubted: false,
    get damage() {
      return damage
    },
  }
}

/**
 * Shows that the store can be read and written. After a failure a small write proves nothing: on a
 * full disk there is often room for a row that is there already, and none for an event. So from then
 * on a ping writes as much as the largest event takes, until that has succeeded once. After damage
 * was found, wherever it was, no ping succeeds any more.
 */
export function createPing(options: {
  failures: Failures
  reader: Connection
  transact: Writer['transact']
  clock: Clock
}): Storage['ping'] {
  const { failures, reader, transact, clock } = options
  let proving: Promise<void> | null = null

  const write = (value: Uint8Array) => transact((tx) => tx.setMeta('last_ping_at', value))
  const prove = async () => {
    failures.isDoubted = false
    // Where this fails, it is noted again.
    await write(new Uint8Array(limits.dataBytesHardMax))
  }

  return async () => {
    if (failures.damage !== null) throw failures.damage
    reader.one('select 1 from projects limit 1')
    if (failures.isDoubted || proving !== null) {
      // However many ask, one proof at a time is enough.
      proving ??= prove().finally(() => {
        proving = null
      })
      await proving
    }
    await write(new TextEncoder().encode(String(clock.now())))
  }
}
