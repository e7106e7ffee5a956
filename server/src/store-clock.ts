import type { SystemClock } from './clock.ts'
import type { Cluster } from './storage/storage.ts'

export interface StoreDrift {
  /** By how much the store's clock is ahead of this process's, in milliseconds. */
  driftMs: number
  /** It may be that much more or less: half of what the answer took. */
  errorMs: number
}

/** Good enough; a busy machine, or a database that has just started, takes longer now and then. */
const errorMsGood = 5
const asksMax = 5

/**
 * Asks the store what time it is, a few times where the answer takes long. Every node on a store
 * follows its clock (rotation.md section 1).
 */
export async function storeDrift(
  cluster: Pick<Cluster, 'now'>,
  clock: Pick<SystemClock, 'now' | 'monotonic'>,
): Promise<StoreDrift> {
  let best: StoreDrift | null = null
  for (let asks = 0; asks < asksMax; asks++) {
    const askedAt = clock.monotonic()
    const storeNow = await cluster.now()
    const errorMs = (clock.monotonic() - askedAt) / 2
    if (best === null || errorMs < best.errorMs) {
      best = { driftMs: storeNow + errorMs - clock.now(), errorMs }
    }
    if (errorMs <= errorMsGood) break
  }
  if (best === null) throw new Error('The store is asked at least once.')
  return best
}
