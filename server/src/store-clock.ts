import type { SystemClock } from './clock.ts'
import type { Cluster } from './storage/storage.ts'

/** An answer that takes longer says too little: it may have been given at its begin or at its end. */
const roundTripMsMax = 500

/**
 * By how much the store's clock is ahead of this process's, in milliseconds; null where that cannot
 * be told well enough now. Every node on a store follows its clock (rotation.md section 1).
 */
export async function storeDrift(
  cluster: Pick<Cluster, 'now'>,
  clock: Pick<SystemClock, 'now' | 'monotonic'>,
): Promise<number | null> {
  const askedAt = clock.monotonic()
  const storeNow = await cluster.now()
  const tookMs = clock.monotonic() - askedAt
  return tookMs > roundTripMsMax ? null : storeNow + tookMs / 2 - clock.now()
}
