import { freshUntil, isFresh } from './cache-lifetime.ts'
import type { Clock } from './clock.ts'

/**
 * What was read from the store, for as long as it may be used (rotation.md section 2). Of several who
 * ask for the same at once one reads and the others wait with it: otherwise everyone would read
 * whenever a lifetime ends, and where a read takes longer than that, always.
 */
export interface ReadCache<Value> {
  /** What is known; undefined: it has to be read. */
  known(key: string): NonNullable<Value> | undefined
  /** At once where it is known. Rejects as the read does; neither that nor a null is kept. */
  get(key: string, read: () => Promise<Value>): Value | Promise<Value>
  /** Something was committed: forgets what `isTouched`, and whatever is being read just now. */
  forget(isTouched: (value: NonNullable<Value>) => boolean): void
}

interface Kept<Content> {
  content: Content
  /** The end of its use, on the monotonic clock; counted from before it was read. */
  until: number
}

export function createReadCache<Value>(options: {
  /** 0: for ever, as no other process can change it unseen. */
  ttlMs: number
  clock: Pick<Clock, 'monotonic'>
  /** How many are kept; beyond that the oldest goes. */
  entriesMax: number
}): ReadCache<Value> {
  const { clock, entriesMax, ttlMs } = options
  const kept = new Map<string, Kept<NonNullable<Value>>>()
  /**
   * Whoever joins a read comes within its lifetime: a change that was answered before that had waited
   * for the lifetime to pass, so it was committed before the read began.
   */
  const reading = new Map<string, Kept<Promise<Value>>>()

  const known = (key: string) => {
    const entry = kept.get(key)
    return entry !== undefined && isFresh(entry.until, clock) ? entry.content : undefined
  }
  const readAnew = (key: string, read: () => Promise<Value>): Promise<Value> => {
    const until = freshUntil(ttlMs, clock)
    const own: Kept<Promise<Value>> = { content: read(), until }
    reading.set(key, own)
    const settle = (value: Value | null) => {
      if (reading.get(key) !== own) return
      reading.delete(key)
      if (value !== null && value !== undefined) keep(key, { content: value, until })
    }
    own.content.then(settle, () => settle(null))
    return own.content
  }
  const keep = (key: string, entry: Kept<NonNullable<Value>>) => {
    kept.delete(key)
    const [oldest] = kept.keys()
    if (kept.size >= entriesMax && oldest !== undefined) kept.delete(oldest)
    kept.set(key, entry)
  }

  return {
    known,
    get(key, read) {
      const content = known(key)
      if (content !== undefined) return content
      const joined = reading.get(key)
      const mayJoin = joined !== undefined && isFresh(joined.until, clock)
      return mayJoin ? joined.content : readAnew(key, read)
    },
    forget(isTouched) {
      reading.clear()
      for (const [key, { content }] of kept) if (isTouched(content)) kept.delete(key)
    },
  }
}
