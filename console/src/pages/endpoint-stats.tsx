import type { DeliveryStatus, EndpointStats } from '@countersign/sdk'
import { type ReactNode, useState } from 'react'
import { Card, Figures } from '../kit/card.tsx'
import { Choice } from '../kit/field.tsx'
import { OutcomeChart } from '../kit/outcome-chart.tsx'
import { Loaded, useRead } from '../read.tsx'

const spans = {
  '3600000': { name: 'Last hour', bucket: '2m', bucketMs: 120_000 },
  '86400000': { name: 'Last 24 hours', bucket: '30m', bucketMs: 1_800_000 },
  '604800000': { name: 'Last 7 days', bucket: '4h', bucketMs: 14_400_000 },
} as const

/** How many deliveries ended how, and how fast the receiver answers. */
export function EndpointStatsTab({ project, endpoint }: { project: string; endpoint: string }) {
  const [span, setSpan] = useState<keyof typeof spans>('86400000')
  const { bucket, bucketMs } = spans[span]
  const query = useRead(
    ['stats', project, endpoint, span],
    (client, signal) =>
      client.endpoints.stats(
        project,
        endpoint,
        { since: new Date(Date.now() - Number(span)), bucket },
        { signal },
      ),
    10_000,
  )
  return (
    <Card
      title="Deliveries by outcome"
      isPadded
      actions={
        <Choice
          label="Time"
          isLabelHidden
          value={span}
          onChange={(value) => setSpan(value as keyof typeof spans)}
          options={Object.entries(spans).map(([value, { name }]) => [value, name])}
        />
      }
    >
      <Loaded query={query}>
        {(stats) => (
          <div className="stack">
            <OutcomeChart stats={stats} bucketMs={bucketMs} />
            <StatFigures stats={stats} />
          </div>
        )}
      </Loaded>
    </Card>
  )
}

/** The totals. `link` leads from a count to the deliveries behind it. */
export function StatFigures(props: {
  stats: EndpointStats
  link?: (status: DeliveryStatus, count: string) => ReactNode
}) {
  const { durationMs, successRate, counts } = props.stats
  const count = (status: DeliveryStatus) => {
    const text = counts[status].toLocaleString('en')
    return props.link?.(status, text) ?? text
  }
  return (
    <Figures
      rows={[
        [
          'Success rate',
          successRate === null
            ? '–'
            : `${(successRate * 100).toFixed(successRate === 1 ? 0 : 2)} %`,
        ],
        ['Delivered', count('delivered')],
        ['Failed', count('failed')],
        ['Waiting', count('pending')],
        ['Answered in (p50)', durationMs === null ? '–' : milliseconds(durationMs.p50)],
        ['p95', durationMs === null ? '–' : milliseconds(durationMs.p95)],
        ['p99', durationMs === null ? '–' : milliseconds(durationMs.p99)],
      ]}
    />
  )
}

function milliseconds(ms: number): string {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(1)} s`
  return `${ms.toLocaleString('en', { maximumFractionDigits: ms < 10 ? 1 : 0 })} ms`
}
