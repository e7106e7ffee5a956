import type { Clock } from './clock.ts'

/**
 * Until when something may be used that is read now, on the monotonic clock: to be asked before the
 * read. `ttlMs` 0: for ever, as no other process can change it unseen (rotation.md section 2).
 */
export function freshUntil(ttlMs: number, { monotonic }: Pick<Clock, 'monotonic'>): number {
  return ttlMs === 0 ? Number.POSITIVE_INFINITY : monotonic() + ttlMs
}

/** False where it may be used no longer. */
export function isFresh(until: number, { monotonic }: Pick<Clock, 'monotonic'>): boolean {
  return until === Number.POSITIVE_INFINITY || until > monotonic()
}
