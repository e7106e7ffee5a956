import type { Endpoint, EndpointHealth, EndpointState } from '@countersign/sdk'
import { useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import { Badge, EndpointBadge, RotationBadge } from '../kit/badge.tsx'
import { Button } from '../kit/button.tsx'
import { Card, Empty } from '../kit/card.tsx'
import { Choice, Field } from '../kit/field.tsx'
import { PageFrame } from '../kit/page.tsx'
import { Table } from '../kit/table.tsx'
import { When } from '../kit/time.tsx'
import { paths, shortUrl } from '../paths.ts'
import { Loaded, useReadList } from '../read.tsx'
import { useSession } from '../session.ts'
import { CreateEndpoint } from './create-endpoint.tsx'

/** The endpoints of a project, by state, health and part of a URL. */
export function EndpointsPage({ params }: { params: { project: string } }) {
  const { project } = params
  const { may } = useSession()
  const [filters, setFilter] = useFilters()
  const [isCreating, setIsCreating] = useState(false)
  const { query, pager } = useReadList(
    ['endpoints', project, filters],
    (client, cursor, signal) =>
      client.endpoints.list(project, { limit: 50, cursor, ...queryOf(filters) }, { signal }),
    4_000,
  )
  const create = may('webhooks.write') && (
    <Button kind="primary" onClick={() => setIsCreating(true)}>
      New endpoint
    </Button>
  )
  return (
    <PageFrame title="Endpoints" actions={create}>
      <Card>
        <Filters filters={filters} setFilter={setFilter} />
        <Loaded query={query} rows={8}>
          {({ data }) =>
            data.length > 0 ? (
              <EndpointTable project={project} endpoints={data} />
            ) : filters.status === '' && filters.search === '' ? (
              <Empty title="No endpoint yet" action={create}>
                An endpoint is a URL that receives events. Each has signing secrets of its own.
              </Empty>
            ) : (
              <Empty title="No endpoint fits">Take a filter away to see more.</Empty>
            )
          }
        </Loaded>
        {pager}
      </Card>
      {isCreating && <CreateEndpoint project={project} onClose={() => setIsCreating(false)} />}
    </PageFrame>
  )
}

interface EndpointFilters {
  /** A state, a health, or that a secret is being rotated; empty: all. */
  status: string
  search: string
}

/** Kept in the address, so that a filtered list can be passed on. */
function useFilters(): [EndpointFilters, (name: keyof EndpointFilters, value: string) => void] {
  const [search, setSearch] = useSearchParams()
  const set = (name: keyof EndpointFilters, value: string) =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before)
        if (value === '') next.delete(name)
        else next.set(name, value)
        return next
      },
      { replace: true },
    )
  return [{ status: search.get('status') ?? '', search: search.get('search') ?? '' }, set]
}

function queryOf({ status, search }: EndpointFilters) {
  return {
    ...(search === '' ? {} : { search }),
    ...(status === 'rotating' ? { rotation: 'open' as const } : {}),
    ...(status === 'disabled' ? { state: status as EndpointState } : {}),
    ...(['', 'disabled', 'rotating'].includes(status)
      ? {}
      : { health: status as EndpointHealth, state: 'active' as EndpointState }),
  }
}

function Filters(props: {
  filters: EndpointFilters
  setFilter: (name: keyof EndpointFilters, value: string) => void
}) {
  return (
    <search className="filters">
      <Field
        label="Search by URL, description or uid"
        isLabelHidden
        type="search"
        placeholder="Search by URL, description or uid"
        value={props.filters.search}
        onChange={(value) => props.setFilter('search', value)}
      />
      <Choice
        label="State"
        isLabelHidden
        value={props.filters.status}
        onChange={(value) => props.setFilter('status', value)}
        options={[
          ['', 'Every state'],
          ['healthy', 'Healthy'],
          ['failing', 'Failing'],
          ['blocked', 'Blocked'],
          ['disabled', 'Paused'],
          ['rotating', 'Rotating'],
        ]}
      />
    </search>
  )
}

function EndpointTable(props: { project: string; endpoints: readonly Endpoint[] }) {
  return (
    <Table
      label="Endpoints"
      rows={props.endpoints}
      idOf={({ id }) => id}
      columns={[
        {
          name: 'Endpoint',
          cell: (row) => (
            <>
              <Link className="clip" href={paths.endpoint(props.project, row.id)}>
                {shortUrl(row.url)}
              </Link>
              {row.description !== null && (
                <span className="clip quiet small">{row.description}</span>
              )}
            </>
          ),
        },
        {
          name: 'Health',
          cell: (row) => (
            <span className="row">
              <EndpointBadge endpoint={row} />
              {row.unverifying && <Badge tone="bad">takes any signature</Badge>}
            </span>
          ),
        },
        {
          name: 'Rotation',
          cell: (row) =>
            row.rotation === null ? (
              <span className="quiet">–</span>
            ) : (
              <Link href={paths.rotation(props.project, row.id, row.rotation.id)}>
                <RotationBadge status={row.rotation.status} />
              </Link>
            ),
        },
        {
          name: 'Events',
          cell: (row) => <span className="clip mono small">{row.eventTypes.join(', ')}</span>,
        },
        { name: 'Last delivered', cell: (row) => <When at={row.lastSuccessAt} none="never" /> },
        { name: 'Last failed', cell: (row) => <When at={row.lastFailureAt} none="never" /> },
      ]}
    />
  )
}
