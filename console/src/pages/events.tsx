import type { EventSummary } from '@countersign/sdk'
import { type FormEvent, useState } from 'react'
import { Link, useLocation, useSearchParams } from 'wouter'
import { Button } from '../kit/button.tsx'
import { Card, Empty } from '../kit/card.tsx'
import { Dialog } from '../kit/dialog.tsx'
import { Choice, Field } from '../kit/field.tsx'
import { PageFrame } from '../kit/page.tsx'
import { Table } from '../kit/table.tsx'
import { When } from '../kit/time.tsx'
import { paths } from '../paths.ts'
import { Loaded, useAct, useRead, useReadList } from '../read.tsx'

/** How many of the newest events a search by type looks through. */
const searchedMax = 1_000

/** What was published. */
export function EventsPage({ params }: { params: { project: string } }) {
  const { project } = params
  const [search] = useSearchParams()
  const [isPublishing, setIsPublishing] = useState(false)
  const publish = (
    <Button kind="primary" onClick={() => setIsPublishing(true)}>
      Publish an event
    </Button>
  )
  const isSearch = search.has('type') || search.has('hours')
  return (
    <PageFrame title="Events" actions={publish}>
      <Card>
        <Search project={project} />
        {isSearch ? (
          <FoundEvents
            project={project}
            type={search.get('type') ?? ''}
            hours={search.get('hours') ?? ''}
          />
        ) : (
          <EveryEvent project={project} />
        )}
      </Card>
      {isPublishing && <PublishEvent project={project} onClose={() => setIsPublishing(false)} />}
    </PageFrame>
  )
}

function Search({ project }: { project: string }) {
  const [search, setSearch] = useSearchParams()
  const [, go] = useLocation()
  const [text, setText] = useState(search.get('type') ?? '')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (/^evt_[0-9a-f]{32}$/.test(text.trim())) return go(paths.event(project, text.trim()))
    set('type', text.trim())
  }
  const set = (name: string, value: string) =>
    setSearch((before) => {
      const next = new URLSearchParams(before)
      if (value === '') next.delete(name)
      else next.set(name, value)
      return next
    })
  return (
    <search>
      <form className="filters" onSubmit={submit}>
        <Field
          label="Id or type of an event"
          isLabelHidden
          type="search"
          placeholder="Id, or type such as order.paid"
          value={text}
          onChange={setText}
        />
        <Choice
          label="Time"
          isLabelHidden
          value={search.get('hours') ?? ''}
          onChange={(value) => set('hours', value)}
          options={[
            ['', 'Any time'],
            ['1', 'Last hour'],
            ['24', 'Last 24 hours'],
            ['168', 'Last 7 days'],
          ]}
        />
        <span>
          <Button type="submit">Find</Button>
        </span>
      </form>
    </search>
  )
}

function EveryEvent({ project }: { project: string }) {
  const { query, pager } = useReadList(
    ['events', project],
    (client, cursor, signal) => client.events.list(project, { limit: 50, cursor }, { signal }),
    3_000,
  )
  return (
    <>
      <Loaded query={query} rows={8}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="No event yet">
              Publish one by hand to see it fan out, or send one to the API.
            </Empty>
          ) : (
            <EventTable project={project} events={data} />
          )
        }
      </Loaded>
      {pager}
    </>
  )
}

/** The API lists events by time alone, so a search reads on until it has seen enough of them. */
function FoundEvents(props: { project: string; type: string; hours: string }) {
  const { project, type, hours } = props
  const query = useRead(
    ['found events', project, type, hours],
    async (client, signal) => {
      const since = hours === '' ? 0 : Date.now() - Number(hours) * 3_600_000
      const found: EventSummary[] = []
      let seen = 0
      for await (const event of client.events.list(project, { limit: 100 }, { signal })) {
        seen += 1
        const isOld = Date.parse(event.createdAt) < since
        if (!isOld && event.type.includes(type)) found.push(event)
        if (isOld || seen >= searchedMax || found.length >= 100) break
      }
      return found
    },
    30_000,
  )
  return (
    <Loaded query={query} rows={8}>
      {(events) =>
        events.length === 0 ? (
          <Empty title="No event fits">
            The newest {searchedMax.toLocaleString('en')} events were looked through.
          </Empty>
        ) : (
          <EventTable project={project} events={events} />
        )
      }
    </Loaded>
  )
}

function EventTable(props: { project: string; events: readonly EventSummary[] }) {
  return (
    <Table
      label="Events"
      rows={props.events}
      idOf={({ id }) => id}
      columns={[
        {
          name: 'Type',
          cell: (row) => (
            <Link className="clip" href={paths.event(props.project, row.id)}>
              {row.type}
            </Link>
          ),
        },
        { name: 'Id', cell: (row) => <span className="mono quiet">{row.id}</span> },
        { name: 'Deliveries', isNumber: true, cell: (row) => row.deliveryCount },
        { name: 'Accepted', cell: (row) => <When at={row.createdAt} /> },
      ]}
    />
  )
}

function PublishEvent({ project, onClose }: { project: string; onClose: () => void }) {
  const [, go] = useLocation()
  const [type, setType] = useState('')
  const [text, setText] = useState('{\n  "hello": "world"\n}')
  const { run, isBusy, problem } = useAct(async (client) => {
    const data: unknown = JSON.parse(text)
    if (typeof data !== 'object' || data === null) throw new Error('The data must be an object.')
    const { id } = await client.events.publish(project, { type, data })
    go(paths.event(project, id))
  })
  return (
    <Dialog
      title="Publish an event"
      verb="Publish"
      isReady={type.trim() !== ''}
      {...{ isBusy, problem, onClose }}
      onSubmit={run}
    >
      <Field label="Type" value={type} onChange={setType} placeholder="order.paid" />
      <Field label="Data, as JSON" value={text} onChange={setText} lines={8} />
    </Dialog>
  )
}
