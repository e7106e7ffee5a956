import type { Static } from 'typebox'
import { type DeliveryStatus, deliveryStatuses } from '../../core/delivery.ts'
import { parseDuration } from '../../core/duration.ts'
import { invalidField } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { DeliveryStats, StatsRequest } from '../../storage/storage.ts'
import { nullable, oneOf, text, time } from './fields.ts'
import { checkedTime, wireTime } from './time.ts'
import { Type } from './type.ts'

const statusList = Type.Array(oneOf(['failed', 'skipped']), { minItems: 1, maxItems: 2 })

export const RecoverEndpointSchema = Type.Object(
  {
    since: time('Deliveries created at this time or later.'),
    until: Type.Optional(time('And before this time; now where absent.')),
    statuses: Type.Optional(statusList),
  },
  { $id: 'RecoverEndpoint', additionalProperties: false },
)

export const RecoverySchema = Type.Object(
  {
    endpoint_id: Type.String(),
    since: time(),
    until: time(),
    statuses: statusList,
    delivery_count: Type.Integer({ description: 'How many there were when it was accepted.' }),
  },
  {
    $id: 'Recovery',
    additionalProperties: false,
    description: 'Deliveries that are being sent again, in small steps.',
  },
)

const countFields = {
  pending: Type.Integer(),
  delivered: Type.Integer(),
  failed: Type.Integer(),
  skipped: Type.Integer(),
}

const durationFields = Type.Object(
  { p50: Type.Number(), p95: Type.Number(), p99: Type.Number() },
  { additionalProperties: false },
)

const statsFields = {
  since: time(),
  until: time(),
  total: Type.Integer(),
  counts: Type.Object(countFields, { additionalProperties: false }),
  success_rate: nullable(
    Type.Number({ description: 'Delivered out of delivered and failed; null before either.' }),
  ),
  duration_ms: Type.Unsafe<Static<typeof durationFields> | null>({
    anyOf: [durationFields, { type: 'null' }],
    description: 'Of the last attempt of each delivery.',
  }),
  buckets: Type.Array(
    Type.Object({ at: time(), ...countFields }, { additionalProperties: false }),
    { description: 'Oldest first; those without deliveries are left out.' },
  ),
  is_partial: Type.Boolean({
    description: `True where there are more than ${limits.statsDeliveriesMax} deliveries: the newest were looked at.`,
  }),
}

export const EndpointStatsSchema = Type.Object(statsFields, {
  $id: 'EndpointStats',
  additionalProperties: false,
})

export const ProjectStatsSchema = Type.Object(statsFields, {
  $id: 'ProjectStats',
  additionalProperties: false,
  description: 'The numbers of all endpoints of a project together, deleted ones included.',
})

export const statsQuery = Type.Object(
  {
    since: Type.Optional(time('Default: a day ago.')),
    bucket: Type.Optional(
      text(20, 'Length of a bucket, such as `5m`, `1h` or `1d`; absent: none.'),
    ),
  },
  { additionalProperties: false },
)

const dayMs = 86_400_000
const bucketMsMin = 60_000

/** What is asked for, from a query that its schema has checked. */
export function readStatsQuery(
  query: Static<typeof statsQuery>,
  now: number,
): Omit<StatsRequest, 'endpointId'> {
  const since = checkedTime(query.since) ?? now - dayMs
  const bucketMs = query.bucket === undefined ? null : parseDuration(query.bucket)
  if (query.bucket !== undefined) {
    if (bucketMs === null || bucketMs < bucketMsMin) {
      throw invalidField('bucket', 'Must be a duration of at least a minute, such as 5m, 1h or 1d.')
    }
    if ((now - since) / bucketMs > limits.statsBucketsMax) {
      throw invalidField('bucket', `Would make more than ${limits.statsBucketsMax} buckets.`)
    }
  }
  const deliveriesMax = limits.statsDeliveriesMax
  return { since, until: now + 1, bucketMs, deliveriesMax }
}

export function presentStats(
  stats: DeliveryStats,
  request: StatsRequest,
): Static<typeof EndpointStatsSchema> & Static<typeof ProjectStatsSchema> {
  const { counts } = stats
  const ended = counts.delivered + counts.failed
  return {
    since: wireTime(request.since),
    until: wireTime(request.until - 1),
    total: totalOf(counts),
    counts,
    success_rate: ended === 0 ? null : counts.delivered / ended,
    duration_ms: stats.durations,
    buckets: stats.buckets.map(({ at, counts: bucket }) => ({ at: wireTime(at), ...bucket })),
    is_partial: stats.isPartial,
  }
}

export function totalOf(counts: Record<DeliveryStatus, number>): number {
  return deliveryStatuses.reduce((sum, status) => sum + counts[status], 0)
}
