import {
  type Reads,
  type Storage,
  StorageUnavailableError,
  type Transaction,
} from '../../src/storage/storage.ts'

/** A storage that fails once, at a chosen call. */
export interface FailingStorage {
  storage: Storage
  /** How many calls were made so far, the failed one included. */
  callCount(): number
  /** Every member that was called so far. */
  members(): ReadonlySet<string>
  /** The member that failed, such as `tx.insertSecret` or `commit`; null while none has. */
  failedAt(): string | null
}

/**
 * Wraps a storage so that the `failAt`-th call (counted from 1), or the first call of the member of
 * that name, throws `StorageUnavailableError` before it does anything. Every member of the port and
 * of its transactions counts, and so does the commit at the end of each transaction: that one fails
 * after the work is done and undoes it. A test raises `failAt` until the flow ends without a
 * failure, and has then failed it everywhere.
 */
export function createFailingStorage(inner: Storage, failAt: number | string): FailingStorage {
  const members = new Set<string>()
  let callCount = 0
  let failedAt: string | null = null

  function count(member: string): void {
    callCount += 1
    members.add(member)
    if (failedAt !== null || (callCount !== failAt && member !== failAt)) return
    failedAt = member
    throw new StorageUnavailableError(`Failed on purpose at call ${callCount}, ${member}.`)
  }

  /** The same object, whose asynchronous members count before they run. */
  function counting<T extends Reads>(target: T, prefix: string, own: Partial<T>): T {
    const members = Object.entries(target).map(([name, member]) => {
      if (typeof member !== 'function' || uncounted.has(name)) return [name, member]
      const call = async (...parameters: unknown[]) => {
        count(prefix + name)
        return member(...parameters)
      }
      return [name, call]
    })
    return { ...Object.fromEntries(members), ...own }
  }

  const storage = counting(inner, '', {
    async transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
      count('transact')
      return inner.transact(async (tx) => {
        const value = await work(counting(tx, 'tx.', {}))
        count('commit')
        return value
      })
    },
  })
  return { storage, callCount: () => callCount, members: () => members, failedAt: () => failedAt }
}

/** What no test wants to fail: the wiring at the start and the closing at the end. */
const uncounted: ReadonlySet<string> = new Set(['connect', 'close'])
