/** What the whole product has to reach; the ratios are to the ceiling of the same round. */
export const firstMark = {
  /** Delivered events a second, SQLite, one endpoint, 96 connections. */
  ratio: 0.2,
  arrivalP50Ms: 5,
  arrivalP99Ms: 50,
  /** Share of its rate that a healthy endpoint loses to a dead one with a backlog. */
  deadEndpointShare: 0.2,
  /** How much slower lists, publishing and claims are in a store with a million finished deliveries. */
  historyRatio: 2,
  /** Time of a claim over a million pending and ten million finished deliveries, over none. */
  claimRatio: 2,
  idleCores: 0.01,
  /** Resident memory in the last third of a run at full load, over that of the first third. */
  memoryGrowth: 1.1,
} as const

/** The same, for the work on speed: printed beside the first marks. */
export const goal = {
  ratio: 0.5,
  /** The same with the store in PostgreSQL, on one node. */
  postgresRatio: 0.3,
  /** The same, published in batches of 100; and of deliveries to ten endpoints each. */
  batchRatio: 0.7,
  fanOutRatio: 0.75,
  /** CPU of the server for a delivery with three signatures, over that with one. */
  threeSignaturesCpu: 1.25,
  arrivalP50Ms: 2,
  arrivalP99Ms: 10,
  deadEndpointShare: 0.05,
  /** The same beside one that never answers, and beside many whose retries fall due together. */
  silentEndpointShare: 0.05,
  retryStormShare: 0.2,
  claimRatio: 1.5,
  idleCores: 0.005,
  /** From the start of the process to the first accepted event, beside a million deliveries. */
  startMs: 1_000,
  memoryGrowth: 1.1,
} as const

/**
 * `--smoke` fails below this share of the recorded ratio. One or two short rounds on a machine that
 * others use as well stray by up to a third from the median of a full run, so only a fall by more
 * than a third is a finding; the full run is what decides. Rounds during which others used the
 * machine do not count.
 */
export const smokeShareMin = 0.67
