import assert from 'node:assert/strict'
import type { Storage } from '../../src/storage/storage.ts'
import { createFailingStorage, type FailingStorage } from './failing-storage.ts'

/** A store that a running server keeps while a test makes it fail and lets it recover. */
export interface SwitchableStore {
  /** For the server, once. */
  wrap: (inner: Storage) => Storage
  /** Fails once, at this call, counted from 1 from here on, or at the first of this member. */
  failAt(call: number | string): FailingStorage
  failAlways(): void
  failNever(): void
}

export function createSwitchableStore(): SwitchableStore {
  let inner: Storage | null = null
  const opened = () => {
    assert.ok(inner !== null, 'the server has started')
    return inner
  }
  let current = opened
  return {
    wrap(given) {
      inner = given
      const members = Object.keys(given).map((name) => {
        const member = name as keyof Storage
        // What the store says of itself stays so, whether it answers or not.
        if (typeof given[member] !== 'function') return [name, given[member]]
        const call = (...parameters: never[]) =>
          (current()[member] as (...given: never[]) => unknown)(...parameters)
        return [name, call]
      })
      return Object.fromEntries(members) as unknown as Storage
    },
    failAt(call) {
      const failing = createFailingStorage(opened(), call)
      current = () => failing.storage
      return failing
    },
    failAlways() {
      // A new one for each use, each of which fails at its first call.
      current = () => createFailingStorage(opened(), 1).storage
    },
    failNever() {
      current = opened
    },
  }
}
