import type { Delivery } from '@countersign/sdk'
import { useEffect, useState } from 'react'
import { Badge } from '../kit/badge.tsx'
import { Button } from '../kit/button.tsx'
import { Card, Empty } from '../kit/card.tsx'
import { PageFrame } from '../kit/page.tsx'
import { Loaded, useRead } from '../read.tsx'
import { useSession } from '../session.ts'
import { DeliveryTable } from './delivery-list.tsx'

const shownMax = 50
/** The stream tells what is new; the list is read again only in case it was away. */
const lookMs = 15_000
/** While paused nothing is asked for. */
const pausedMs = 86_400_000

/** The newest deliveries as they come, until it is paused. */
export function LivePage({ params }: { params: { project: string } }) {
  const { project } = params
  const [isPaused, setIsPaused] = useState(false)
  const query = useRead(
    ['live', project],
    (client, signal) => client.deliveries.list(project, { limit: shownMax }, { signal }).page(),
    isPaused ? pausedMs : lookMs,
  )
  const { changed, isConnected } = useDeliveryStream(project, isPaused)
  const { refetch } = query
  // The stream begins with what comes next, so the list must be read once more when it is open.
  useEffect(() => {
    if (isConnected) void refetch()
  }, [isConnected, refetch])
  return (
    <PageFrame
      title="Live"
      lead={`The newest ${shownMax} deliveries, as they come and end.`}
      actions={
        <>
          {isPaused ? <Badge>paused</Badge> : <Connection isConnected={isConnected} />}
          <Button onClick={() => setIsPaused(!isPaused)}>{isPaused ? 'Go on' : 'Pause'}</Button>
        </>
      }
    >
      <Card>
        <Loaded query={query} rows={10}>
          {({ data }) => {
            const newest = newestOf(data, changed)
            return newest.length === 0 ? (
              <Empty title="Nothing yet">Deliveries appear here as soon as they are made.</Empty>
            ) : (
              <DeliveryTable project={project} deliveries={newest} />
            )
          }}
        </Loaded>
      </Card>
    </PageFrame>
  )
}

function Connection({ isConnected }: { isConnected: boolean }) {
  return isConnected ? <Badge tone="good">live</Badge> : <Badge tone="warn">connecting</Badge>
}

/** What the stream has told since the page was opened, the newest of it. */
function useDeliveryStream(project: string, isPaused: boolean) {
  const { client } = useSession()
  const [changed, setChanged] = useState<readonly Delivery[]>([])
  const [isConnected, setIsConnected] = useState(false)
  useEffect(() => {
    if (isPaused) return
    const ending = new AbortController()
    const follow = async () => {
      const stream = client.stream.follow(project, {
        only: 'deliveries',
        signal: ending.signal,
        onConnection: (error) => setIsConnected(error === null),
      })
      for await (const item of stream) {
        if (item.kind !== 'delivery') continue
        setChanged((before) => newestOf(before, [item.delivery]))
      }
    }
    // Where the server refuses, the list says why.
    follow().catch(() => setIsConnected(false))
    return () => {
      ending.abort()
      setIsConnected(false)
    }
  }, [client, project, isPaused])
  return { changed, isConnected }
}

/** Each delivery once, in its latest state; ids grow with time. */
function newestOf(known: readonly Delivery[], changed: readonly Delivery[]): Delivery[] {
  const byId = new Map(known.map((delivery) => [delivery.id, delivery]))
  for (const delivery of changed) {
    const before = byId.get(delivery.id)
    if (before === undefined || isLater(delivery, before)) byId.set(delivery.id, delivery)
  }
  return [...byId.values()].sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, shownMax)
}

function isLater(one: Delivery, other: Delivery): boolean {
  if (one.attemptCount !== other.attemptCount) return one.attemptCount > other.attemptCount
  return one.completedAt !== null || other.completedAt === null
}
