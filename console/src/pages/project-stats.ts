import type { Countersign, EndpointStats } from '@countersign/sdk'

export const bucketMs = 1_800_000
/** The server counts by endpoint: so many of them are asked, the newest ones. */
const endpointsMax = 40

/** The numbers of a project's newest endpoints together. */
export interface ProjectStats extends EndpointStats {
  endpointCount: number
  hasMoreEndpoints: boolean
  /** Median over the endpoints of their own median, in milliseconds. */
  typicalMs: number | null
  slowest: { endpointId: string; p95: number } | null
}

/** Reads the last 24 hours. */
export async function readProjectStats(
  client: Countersign,
  project: string,
  signal: AbortSignal,
): Promise<ProjectStats> {
  const list = client.endpoints.list(project, { limit: endpointsMax }, { signal })
  const { data: endpoints, hasMore } = await list.page()
  const since = new Date(Date.now() - 86_400_000)
  const all = await Promise.all(
    endpoints.map(({ id }) =>
      client.endpoints.stats(project, id, { since, bucket: '30m' }, { signal }),
    ),
  )
  const answered = all.flatMap(({ durationMs }, index) =>
    durationMs === null ? [] : [{ ...durationMs, endpointId: endpoints[index]?.id ?? '' }],
  )
  const counts = addUp(all.map((stats) => stats.counts))
  const ended = counts.delivered + counts.failed
  const medians = answered.map(({ p50 }) => p50).sort((a, b) => a - b)
  return {
    since: since.toISOString(),
    until: all[0]?.until ?? new Date().toISOString(),
    total: all.reduce((sum, { total }) => sum + total, 0),
    counts,
    successRate: ended === 0 ? null : counts.delivered / ended,
    durationMs: null,
    buckets: addUpBuckets(all),
    isPartial: all.some(({ isPartial }) => isPartial),
    endpointCount: endpoints.length,
    hasMoreEndpoints: hasMore,
    typicalMs: medians[Math.floor(medians.length / 2)] ?? null,
    slowest: answered.toSorted((a, b) => b.p95 - a.p95)[0] ?? null,
  }
}

type Counts = EndpointStats['counts']

function addUp(all: readonly Counts[]): Counts {
  const sum = { pending: 0, delivered: 0, failed: 0, skipped: 0 }
  for (const counts of all) {
    for (const status of Object.keys(sum) as (keyof Counts)[]) sum[status] += counts[status]
  }
  return sum
}

function addUpBuckets(all: readonly EndpointStats[]): EndpointStats['buckets'] {
  const byTime = Map.groupBy(
    all.flatMap(({ buckets }) => buckets),
    ({ at }) => at,
  )
  return [...byTime]
    .map(([at, buckets]) => ({ at, ...addUp(buckets) }))
    .sort((a, b) => a.at.localeCompare(b.at))
}
