/** Median, smallest and largest of some runs. */
export interface Spread {
  median: number
  min: number
  max: number
}

/** Percentiles in microseconds, as both receivers and both load generators report them. */
export interface Latency {
  count: number
  p50Us: number
  p99Us: number
  maxUs: number
}

/** What a receiver counted since its last reset. Times are of the monotonic clock. */
export interface Arrivals {
  unique: number
  firstAtUs: number
  lastAtUs: number
}

/** Nearest rank: the smallest value that at least `share` (0–1) of all values do not exceed. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  const rank = Math.ceil(share * sorted.length)
  return sorted[Math.max(rank, 1) - 1] ?? 0
}

export function latencyOf(valuesUs: Iterable<number>): Latency {
  const sorted = Float64Array.from(valuesUs).sort()
  return {
    count: sorted.length,
    p50Us: percentile(sorted, 0.5),
    p99Us: percentile(sorted, 0.99),
    maxUs: percentile(sorted, 1),
  }
}

/** The median of an even number of values is the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const upper = sorted.length >> 1
  const high = sorted[upper] ?? Number.NaN
  if (sorted.length % 2 === 1) return high
  return ((sorted[upper - 1] ?? Number.NaN) + high) / 2
}

export function spreadOf(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) }
}

/** Unique ids divided by first to last arrival, in events a second; 0 where that says nothing. */
export function arrivalRate(arrivals: Arrivals): number {
  const elapsedUs = arrivals.lastAtUs - arrivals.firstAtUs
  return elapsedUs > 0 ? (arrivals.unique * 1e6) / elapsedUs : 0
}

/**
 * Events that were accepted and did not arrive. More arrivals than acceptances is no negative
 * loss: a publish whose answer was cut off may have been accepted.
 */
export function lossOf(counts: { accepted: number; unique: number }): number {
  return Math.max(0, counts.accepted - counts.unique)
}

/** Absolute rates drift by 10–30 % between runs, so only ratios inside one round are compared. */
export function ratioPerRound(
  rates: readonly number[],
  ceilingRates: readonly number[],
): readonly number[] {
  return rates.map((rate, round) => rate / (ceilingRates[round] ?? Number.NaN))
}

/** The share of its own rate that something loses: 0.2 when 100 becomes 80, 0 when it gains. */
export function shareLost(before: number, after: number): number {
  return before > 0 ? Math.max(0, 1 - after / before) : 0
}

/** Mean of the first and of the last third of some samples, which shows whether they are flat. */
export function thirds(samples: readonly number[]): { first: number; last: number } {
  const size = Math.max(1, Math.floor(samples.length / 3))
  return { first: mean(samples.slice(0, size)), last: mean(samples.slice(-size)) }
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
