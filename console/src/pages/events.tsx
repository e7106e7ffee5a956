import type { Countersign, EventSummary } from '@countersign/sdk'
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
import { readJson } from '../read-json.ts'
import { useSession } from '../session.ts'

/** How many of the newest events a search by type looks through. */
const searchedMax = 1_000
const shownMax = 100
const ownId = /^[A-Za-z0-9_-]{1,64}$/

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
        <Search key={search.get('type')} project={project} />
        {isSearch ? (
          <FoundEvents
            project={project}
            text={search.get('type') ?? ''}
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

interface EventSearch {
  events: EventSummary[]
  /** Where the search ended early: what it did not look at is older. */
  isPartial: boolean
}

/** The API lists events by time alone, so a search reads on until it has seen enough of them. */
function FoundEvents(props: { project: string; text: string; hours: string }) {
  const { project, text, hours } = props
  const query = useRead(
    ['found events', project, text, hours],
    (client, signal) => findEvents(client, { ...props, signal }),
    30_000,
  )
  return (
    <Loaded query={query} rows={8}>
      {({ events, isPartial }) => (
        <>
          {events.length === 0 ? (
            <Empty title="No event fits">
              {isPartial
                ? `None of the newest ${searchedMax.toLocaleString('en')} events does.`
                : 'Every event of that time was looked through.'}
            </Empty>
          ) : (
            <EventTable project={project} events={events} />
          )}
          {ownId.test(text) && <ByOwnId project={project} id={text} />}
          {isPartial && <SearchEnd {...props} count={events.length} />}
        </>
      )}
    </Loaded>
  )
}

async function findEvents(
  client: Countersign,
  search: { project: string; text: string; hours: string; signal: AbortSignal },
): Promise<EventSearch> {
  const { project, text, hours, signal } = search
  const since = hours === '' ? 0 : Date.now() - Number(hours) * 3_600_000
  const events: EventSummary[] = []
  let seenCount = 0
  for await (const event of client.events.list(project, { limit: 100 }, { signal })) {
    if (Date.parse(event.createdAt) < since) break
    if (seenCount === searchedMax || events.length === shownMax) return { events, isPartial: true }
    seenCount += 1
    if (event.type.includes(text)) events.push(event)
  }
  return { events, isPartial: false }
}

/** Callers may give events ids of their own, which look like types. */
function ByOwnId({ project, id }: { project: string; id: string }) {
  return (
    <p className="inside quiet small">
      Is it an id that you gave? <Link href={paths.event(project, id)}>Open the event {id}</Link>
    </p>
  )
}

/** How far the search went, and where all of it can be found. */
function SearchEnd(props: { project: string; text: string; hours: string; count: number }) {
  const { may } = useSession()
  const { project, text, hours, count } = props
  const query = { ...(text === '' ? {} : { type: text }), ...(hours === '' ? {} : { hours }) }
  return (
    <p className="inside quiet small">
      {count >= shownMax
        ? `These are the newest ${shownMax} that fit.`
        : `Only the newest ${searchedMax.toLocaleString('en')} events were looked through.`}{' '}
      {may('deliveries.read') && (
        <>
          <Link href={paths.deliveries(project, query)}>Deliveries</Link> can be searched by a whole
          type and by time, however old they are.
        </>
      )}
    </p>
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
    const data = readJson('The data', text)
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
