import { useState } from 'react'
import { Badge } from '../kit/badge.tsx'
import { Button } from '../kit/button.tsx'
import { Card, Empty } from '../kit/card.tsx'
import { PageFrame } from '../kit/page.tsx'
import { Loaded, useRead } from '../read.tsx'
import { DeliveryTable } from './delivery-list.tsx'

/** Between two looks, in milliseconds. */
const lookMs = 1_000
/** While paused nothing is asked for. */
const pausedMs = 86_400_000

/** The newest deliveries as they come, until it is paused. */
export function LivePage({ params }: { params: { project: string } }) {
  const { project } = params
  const [isPaused, setIsPaused] = useState(false)
  const query = useRead(
    ['live', project],
    (client, signal) => client.deliveries.list(project, { limit: 50 }, { signal }).page(),
    isPaused ? pausedMs : lookMs,
  )
  return (
    <PageFrame
      title="Live"
      lead="The newest 50 deliveries, as they come and end."
      actions={
        <>
          {isPaused ? <Badge>paused</Badge> : <Badge tone="good">live</Badge>}
          <Button onClick={() => setIsPaused(!isPaused)}>{isPaused ? 'Go on' : 'Pause'}</Button>
        </>
      }
    >
      <Card>
        <Loaded query={query} rows={10}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty title="Nothing yet">Deliveries appear here as soon as they are made.</Empty>
            ) : (
              <DeliveryTable project={project} deliveries={data} />
            )
          }
        </Loaded>
      </Card>
    </PageFrame>
  )
}
