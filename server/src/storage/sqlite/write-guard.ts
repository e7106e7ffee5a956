import assert from 'node:assert/strict'
import type { StorageUnavailableError } from '../storage.ts'
import type { ConnectionGuard } from './connection.ts'

/**
 * Stands before every statement of the writer's connection. Outside a transaction a statement would
 * commit by itself, and so would one after an error at which SQLite had already rolled back.
 */
export interface WriteGuard extends ConnectionGuard {
  open(): void
  close(): void
}

export function createWriteGuard(): WriteGuard {
  let isOpen = false
  let fault: StorageUnavailableError | null = null
  return {
    open() {
      isOpen = true
      fault = null
    },
    close() {
      isOpen = false
    },
    check() {
      if (fault !== null) throw fault
      assert(isOpen, 'A transaction was used after its end.')
    },
    failed(error) {
      fault = error
    },
  }
}
