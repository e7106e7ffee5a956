/**
 * The only source of time. `now` follows the store's clock: a base that is advanced by the
 * monotonic clock, so that a step of the machine's wall clock between two calls changes nothing
 * (rotation.md section 1, "Time").
 */
export interface Clock {
  /** Milliseconds since the epoch, whole. For every decision and every stored time. */
  now(): number
  /** Milliseconds since an arbitrary instant; never steps. For durations, leases and timeouts. */
  monotonic(): number
}
