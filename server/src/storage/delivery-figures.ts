import type { DeliveryStatus } from '../core/delivery.ts'
import type { DeliveryStats } from './storage.ts'

/** Of what is not there. */
export function noDeliveryStats(): DeliveryStats {
  return { counts: noCounts(), durations: null, buckets: [], isPartial: false }
}

export function noCounts(): Record<DeliveryStatus, number> {
  return { pending: 0, delivered: 0, failed: 0, skipped: 0 }
}

export function bucketOf(
  buckets: Map<number, Record<DeliveryStatus, number>>,
  at: number,
  bucketMs: number,
): Record<DeliveryStatus, number> {
  const start = Math.floor(at / bucketMs) * bucketMs
  const known = buckets.get(start)
  if (known !== undefined) return known
  const bucket = noCounts()
  buckets.set(start, bucket)
  return bucket
}

/** Nearest rank: each figure is a duration that was really measured. */
export function percentilesOf(durations: number[]): DeliveryStats['durations'] {
  if (durations.length === 0) return null
  durations.sort((a, b) => a - b)
  const at = (share: number) => durations[Math.ceil(share * durations.length) - 1] ?? 0
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}
