import type { EndpointStats } from '@countersign/sdk'
import { exactTime, lengthText } from './time.tsx'

const outcomes = ['delivered', 'pending', 'failed', 'skipped'] as const
const width = 960
const height = 164
const floor = 160

/** Deliveries over time, stacked by outcome. */
export function OutcomeChart({ stats, bucketMs }: { stats: EndpointStats; bucketMs: number }) {
  const from = Math.floor(Date.parse(stats.since) / bucketMs) * bucketMs
  const count = Math.max(1, Math.ceil((Date.parse(stats.until) - from) / bucketMs))
  const most = Math.max(1, ...stats.buckets.map(totalOf))
  const step = width / count
  return (
    <figure className="stack tight">
      <svg
        className="chart"
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${stats.total} deliveries from ${exactTime(stats.since)} to ${exactTime(stats.until)}; at most ${most} in ${lengthText(bucketMs)}.`}
      >
        {[0, 0.5, 1].map((share) => (
          <line key={share} x1="0" x2={width} y1={floor - share * 150} y2={floor - share * 150} />
        ))}
        {stats.buckets.map((bucket) => (
          <Stack
            key={bucket.at}
            bucket={bucket}
            x={((Date.parse(bucket.at) - from) / bucketMs) * step}
            width={Math.max(1, step * 0.78)}
            most={most}
          />
        ))}
      </svg>
      <figcaption className="row apart">
        <span className="legend">
          {outcomes.map((outcome) => (
            <span key={outcome}>
              <i className={outcome} /> {outcome}
            </span>
          ))}
        </span>
        <span className="quiet small">
          {exactTime(stats.since)} – now
          {stats.total > 0 && ` · up to ${most.toLocaleString('en')} in ${lengthText(bucketMs)}`}
          {stats.isPartial &&
            ` · only the newest ${stats.total.toLocaleString('en')} deliveries are counted`}
        </span>
      </figcaption>
    </figure>
  )
}

type Bucket = EndpointStats['buckets'][number]

function Stack(props: { bucket: Bucket; x: number; width: number; most: number }) {
  const { bucket, most } = props
  const parts = outcomes.filter((outcome) => bucket[outcome] > 0)
  return (
    <g>
      <title>{`${exactTime(bucket.at)}: ${parts.map((part) => `${bucket[part]} ${part}`).join(', ')}`}</title>
      {parts.map((outcome, index) => {
        const below = parts.slice(0, index).reduce((sum, part) => sum + bucket[part], 0)
        const tall = (bucket[outcome] / most) * 150
        const y = floor - (below / most) * 150 - tall
        return (
          <rect
            key={outcome}
            className={outcome}
            x={props.x}
            y={y}
            width={props.width}
            height={tall}
          />
        )
      })}
    </g>
  )
}

function totalOf(bucket: Bucket): number {
  return outcomes.reduce((sum, outcome) => sum + bucket[outcome], 0)
}
