import type { Event } from '@countersign/sdk'
import { useState } from 'react'
import { Button } from '../kit/button.tsx'
import { Card, Code, Facts } from '../kit/card.tsx'
import { Dialog } from '../kit/dialog.tsx'
import { PageFrame } from '../kit/page.tsx'
import { When } from '../kit/time.tsx'
import { useToast } from '../kit/toast.tsx'
import { paths } from '../paths.ts'
import { Loaded, useAct, useRead } from '../read.tsx'
import { useSession } from '../session.ts'
import { DeliveryList } from './delivery-list.tsx'

/** One event: its data, and where it went. */
export function EventPage({ params }: { params: { project: string; event: string } }) {
  const { project, event: id } = params
  const query = useRead(
    ['event', project, id],
    (client, signal) => client.events.get(project, id, { signal }),
    10_000,
  )
  return (
    <PageFrame
      title={query.data?.type ?? 'Event'}
      crumbs={[['Events', paths.events(project)]]}
      actions={query.data != null && <Expunge project={project} event={query.data} />}
    >
      <Loaded query={query} rows={6}>
        {(event) => <Inside event={event} />}
      </Loaded>
      <h2>Where it went</h2>
      <DeliveryList project={project} event={id} />
    </PageFrame>
  )
}

function Inside({ event }: { event: Event }) {
  return (
    <div className="columns even">
      <Card title="Event" isPadded>
        <Facts
          rows={[
            [
              'Id',
              <span key="id" className="mono">
                {event.id}
              </span>,
            ],
            ['Happened', <When key="happened" at={event.timestamp} />],
            ['Accepted', <When key="accepted" at={event.createdAt} />],
            ['Deliveries', event.deliveryCount],
            [
              'Metadata',
              <Code key="metadata" label="Metadata">
                {JSON.stringify(event.metadata, null, 2)}
              </Code>,
            ],
          ]}
        />
      </Card>
      <Card title="Data" isPadded>
        {event.data === null ? (
          <p className="quiet">It was expunged for good.</p>
        ) : (
          <Code label="Data of the event">{JSON.stringify(event.data, null, 2)}</Code>
        )}
      </Card>
    </div>
  )
}

function Expunge({ project, event }: { project: string; event: Event }) {
  const say = useToast()
  const { may } = useSession()
  const [asks, setAsks] = useState(false)
  const { run, isBusy, problem } = useAct(async (client) => {
    await client.events.expunge(project, event.id)
    say('The data is gone for good.')
    setAsks(false)
  })
  if (event.data === null || !may('events.write')) return null
  return (
    <>
      <Button kind="danger" onClick={() => setAsks(true)}>
        Expunge the data
      </Button>
      {asks && (
        <Dialog
          title="Expunge the data of this event"
          verb="Expunge for good"
          isDangerous
          {...{ isBusy, problem }}
          onSubmit={run}
          onClose={() => setAsks(false)}
        >
          <p>
            The data is removed from this server for good, with every kept copy of it. The event and
            its deliveries stay in the lists; they cannot be sent again.
          </p>
        </Dialog>
      )}
    </>
  )
}
