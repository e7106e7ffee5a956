import type { Endpoint } from '@countersign/sdk'
import { Link } from 'wouter'
import { EndpointBadge, RotationBadge } from '../kit/badge.tsx'
import { Card, Empty } from '../kit/card.tsx'
import { OutcomeChart } from '../kit/outcome-chart.tsx'
import { PageFrame } from '../kit/page.tsx'
import { Table } from '../kit/table.tsx'
import { When } from '../kit/time.tsx'
import { paths, shortUrl } from '../paths.ts'
import { Loaded, useRead } from '../read.tsx'
import { useSession } from '../session.ts'
import { StatFigures } from './endpoint-stats.tsx'

const dayMs = 86_400_000
const bucketMs = 1_800_000
/** Rows of a list here, at most; the whole of it has a page. */
const rowsMax = 10

/** How a project does: what came of its deliveries, and what needs somebody. */
export function OverviewPage({ params }: { params: { project: string } }) {
  const { project } = params
  const { kind, may } = useSession()
  return (
    <PageFrame title="Overview">
      {may('deliveries.read') && <Numbers project={project} />}
      {may('webhooks.read') && (
        <div className="columns even">
          <Attention project={project} />
          <OpenRotations project={project} />
        </div>
      )}
      {kind === 'instance' && <OverAge project={project} />}
    </PageFrame>
  )
}

function Numbers({ project }: { project: string }) {
  const query = useRead(
    ['project stats', project],
    (client, signal) =>
      client.projects.stats(
        project,
        { since: new Date(Date.now() - dayMs), bucket: '30m' },
        { signal },
      ),
    15_000,
  )
  return (
    <Card title="Deliveries of the last 24 hours" isPadded>
      <Loaded query={query} rows={6}>
        {(stats) => (
          <div className="stack">
            {stats.total === 0 ? (
              <Empty title="No delivery in the last 24 hours">
                An event that is published is delivered to each{' '}
                <Link href={paths.endpoints(project)}>endpoint</Link> that wants its type.
              </Empty>
            ) : (
              <OutcomeChart stats={stats} bucketMs={bucketMs} />
            )}
            <StatFigures
              stats={stats}
              link={(status, count) => (
                <Link href={paths.deliveries(project, { status, hours: '24' })}>{count}</Link>
              )}
            />
          </div>
        )}
      </Loaded>
    </Card>
  )
}

/** Endpoints that fail or are blocked, the worst first. */
function Attention({ project }: { project: string }) {
  const query = useRead(['attention', project], async (client, signal) => {
    const read = async (health: 'blocked' | 'failing') => {
      const list = client.endpoints.list(
        project,
        { health, state: 'active', limit: rowsMax },
        { signal },
      )
      return (await list.page()).data
    }
    return (await Promise.all([read('blocked'), read('failing')])).flat()
  })
  return (
    <Card
      title="Needs attention"
      actions={<Link href={paths.endpoints(project)}>All endpoints</Link>}
    >
      <Loaded query={query} rows={3}>
        {(endpoints) =>
          endpoints.length === 0 ? (
            <Empty title="All well">No endpoint fails or is blocked.</Empty>
          ) : (
            <Table
              label="Endpoints that need attention"
              rows={endpoints}
              idOf={({ id }) => id}
              columns={[
                {
                  name: 'Endpoint',
                  cell: (row) => <EndpointLink project={project} endpoint={row} />,
                },
                { name: 'Health', cell: (row) => <EndpointBadge endpoint={row} /> },
                { name: 'Failures', isNumber: true, cell: (row) => row.consecutiveFailures },
                {
                  name: 'Last delivered',
                  cell: (row) => <When at={row.lastSuccessAt} none="never" />,
                },
              ]}
            />
          )
        }
      </Loaded>
    </Card>
  )
}

function EndpointLink({ project, endpoint }: { project: string; endpoint: Endpoint }) {
  return (
    <Link className="clip" href={paths.endpoint(project, endpoint.id)}>
      {shortUrl(endpoint.url)}
    </Link>
  )
}

/** Open rotations, with when the old secret stops. */
function OpenRotations({ project }: { project: string }) {
  const query = useRead(['open rotations', project], async (client, signal) => {
    const list = client.endpoints.list(project, { rotation: 'open', limit: rowsMax }, { signal })
    return (await list.page()).data.flatMap((endpoint) =>
      endpoint.rotation === null ? [] : [{ endpoint, rotation: endpoint.rotation }],
    )
  })
  return (
    <Card
      title="Open rotations"
      actions={<Link href={`${paths.endpoints(project)}?status=rotating`}>All open</Link>}
    >
      <Loaded query={query} rows={3}>
        {(open) =>
          open.length === 0 ? (
            <Empty title="None open">Rotate a secret from its endpoint’s page.</Empty>
          ) : (
            <Table
              label="Open rotations"
              rows={open}
              idOf={({ rotation }) => rotation.id}
              columns={[
                {
                  name: 'Endpoint',
                  cell: ({ endpoint, rotation }) => (
                    <Link className="clip" href={paths.rotation(project, endpoint.id, rotation.id)}>
                      {shortUrl(endpoint.url)}
                    </Link>
                  ),
                },
                {
                  name: 'Status',
                  cell: ({ rotation }) => <RotationBadge status={rotation.status} />,
                },
                {
                  name: 'Old secret stops',
                  cell: ({ rotation }) => (
                    <When at={rotation.previousSecretExpiresAt} none="at proof" />
                  ),
                },
              ]}
            />
          )
        }
      </Loaded>
    </Card>
  )
}

/** Secrets past their age. The fleet is the root key's. */
function OverAge({ project }: { project: string }) {
  const query = useRead(['over age', project], (client, signal) =>
    client.fleet.list({ project, blocker: 'over_age', limit: rowsMax }, { signal }).page(),
  )
  return (
    <Card
      title="Secrets past their age"
      actions={<Link href="/fleet?blocker=over_age">Fleet</Link>}
    >
      <Loaded query={query} rows={2}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="None">Every secret is younger than its policy asks for.</Empty>
          ) : (
            <Table
              label="Secrets past their age"
              rows={data}
              idOf={({ endpointId }) => endpointId}
              columns={[
                {
                  name: 'Endpoint',
                  cell: (row) => (
                    <Link
                      className="clip"
                      href={`${paths.endpoint(project, row.endpointId)}?tab=secrets`}
                    >
                      {shortUrl(row.url)}
                    </Link>
                  ),
                },
                { name: 'Age', isNumber: true, cell: (row) => `${row.secretAgeDays} d` },
                { name: 'Allowed', isNumber: true, cell: (row) => `${row.policy.maxAgeDays} d` },
              ]}
            />
          )
        }
      </Loaded>
    </Card>
  )
}
