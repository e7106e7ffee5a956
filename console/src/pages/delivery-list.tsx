import type { Delivery, DeliveryStatus } from '@countersign/sdk'
import { Link, useSearchParams } from 'wouter'
import { Badge, DeliveryBadge } from '../kit/badge.tsx'
import { Card, Empty } from '../kit/card.tsx'
import { Choice, Field } from '../kit/field.tsx'
import { Table } from '../kit/table.tsx'
import { When } from '../kit/time.tsx'
import { paths, shortId } from '../paths.ts'
import { Loaded, useReadList } from '../read.tsx'
import { nameOfError } from './attempt-error.ts'

/** Deliveries of a project or of one of its endpoints, by status, type and time. */
export function DeliveryList(props: { project: string; endpoint?: string; event?: string }) {
  const { project } = props
  const [search, setSearch] = useSearchParams()
  const status = search.get('status') ?? ''
  const type = search.get('type') ?? ''
  const hours = search.get('hours') ?? ''
  const set = (name: string, value: string) =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before)
        if (value === '') next.delete(name)
        else next.set(name, value)
        return next
      },
      { replace: true },
    )
  const { query, pager } = useReadList(
    ['deliveries', project, props.endpoint ?? null, props.event ?? null, status, type, hours],
    (client, cursor, signal) =>
      client.deliveries.list(
        project,
        {
          limit: 50,
          cursor,
          endpoint: props.endpoint,
          event: props.event,
          ...(status === '' ? {} : { status: status as DeliveryStatus }),
          ...(type === '' ? {} : { eventType: type }),
          ...(hours === '' ? {} : { since: new Date(Date.now() - Number(hours) * 3_600_000) }),
        },
        { signal },
      ),
    2_000,
  )
  return (
    <Card>
      {props.event === undefined && <Filters status={status} type={type} hours={hours} set={set} />}
      <Loaded query={query} rows={8}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="No delivery here">
              An event that is published becomes one delivery for each endpoint that wants its type.
            </Empty>
          ) : (
            <DeliveryTable
              project={project}
              deliveries={data}
              hidesEndpoint={props.endpoint !== undefined}
            />
          )
        }
      </Loaded>
      {pager}
    </Card>
  )
}

function Filters(props: {
  status: string
  type: string
  hours: string
  set: (name: string, value: string) => void
}) {
  return (
    <search className="filters">
      <Choice
        label="Status"
        isLabelHidden
        value={props.status}
        onChange={(value) => props.set('status', value)}
        options={[
          ['', 'Every status'],
          ['pending', 'Pending'],
          ['delivered', 'Delivered'],
          ['failed', 'Failed'],
          ['skipped', 'Skipped'],
        ]}
      />
      <Choice
        label="Time"
        isLabelHidden
        value={props.hours}
        onChange={(value) => props.set('hours', value)}
        options={[
          ['', 'Any time'],
          ['1', 'Last hour'],
          ['24', 'Last 24 hours'],
          ['168', 'Last 7 days'],
        ]}
      />
      <Field
        label="Event type"
        isLabelHidden
        type="search"
        placeholder="Event type, such as order.paid"
        value={props.type}
        onChange={(value) => props.set('type', value)}
      />
    </search>
  )
}

/** Why a delivery stands as it does, in a few words. */
function describeOutcome(row: Delivery): string {
  if (row.lastError === null) return row.lastStatusCode === null ? '–' : String(row.lastStatusCode)
  const error = row.lastError === 'http_status' ? '' : ` ${nameOfError(row.lastError)}`
  return `${row.lastStatusCode ?? ''}${error}`.trim()
}

export function DeliveryTable(props: {
  project: string
  deliveries: readonly Delivery[]
  hidesEndpoint?: boolean
}) {
  const { project } = props
  return (
    <Table
      label="Deliveries"
      rows={props.deliveries}
      idOf={({ id }) => id}
      columns={[
        {
          name: 'Event type',
          cell: (row) => (
            <span className="row">
              <Link className="clip" href={paths.delivery(project, row.id)}>
                {row.eventType}
              </Link>
              {row.isTest && <Badge>test</Badge>}
            </span>
          ),
        },
        { name: 'Status', cell: (row) => <DeliveryBadge status={row.status} /> },
        { name: 'Answer', cell: (row) => <span className="mono">{describeOutcome(row)}</span> },
        { name: 'Attempts', isNumber: true, cell: (row) => row.attemptCount },
        { name: 'Next', cell: (row) => <When at={row.nextAttemptAt} /> },
        ...(props.hidesEndpoint
          ? []
          : [
              {
                name: 'Endpoint',
                cell: (row: Delivery) => (
                  <Link className="mono" href={paths.endpoint(project, row.endpointId)}>
                    {shortId(row.endpointId)}
                  </Link>
                ),
              },
            ]),
        { name: 'Made', cell: (row) => <When at={row.createdAt} /> },
      ]}
    />
  )
}
