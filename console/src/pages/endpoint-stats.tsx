import type { EndpointStats } from '@countersign/sdk'
import { useState } from 'react'
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

export function StatFigures({ stats }: { stats: EndpointStats }) {
  const { durationMs, successRate, counts } = stats
  return (
    <Figures
      rows={[
        [
          'Success rate',
          successRate === null
            ? '–'
            : `${(successRate * 100).toFixed(successRate === 1 ? 0 : 2)} %`,
        ],
        ['Delivered', counts.delivered.toLocaleString('en')],
        ['Failed', counts.failed.toLocaleString('en')],
        ['Waiting', counts.pending.toLocaleString('en')],
        ['Answered in (p50)', durationMs === null ? '–' : `${durationMs.p50} ms`],
        ['p95', durationMs === null ? '–' : `${durationMs.p95} ms`],
        ['p99', durationMs === null ? '–' : `${durationMs.p99} ms`],
      ]}
    />
  )
}
