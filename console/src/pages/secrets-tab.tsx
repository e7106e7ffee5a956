import type { Endpoint, Rotation, Secret } from '@countersign/sdk'
import { Link } from 'wouter'
import { RotationBadge, SecretBadge } from '../kit/badge.tsx'
import { Card, Empty } from '../kit/card.tsx'
import { Table } from '../kit/table.tsx'
import { When } from '../kit/time.tsx'
import { paths, shortId } from '../paths.ts'
import { Loaded, useReadList } from '../read.tsx'
import { SecretsBar } from './secrets-bar.tsx'

/** Which secrets sign and when, and the rotations between them. */
export function SecretsTab({ project, endpoint }: { project: string; endpoint: Endpoint }) {
  const secrets = useReadList(
    ['secrets', project, endpoint.id],
    (client, cursor, signal) =>
      client.endpoints.listSecrets(project, endpoint.id, { limit: 25, cursor }, { signal }),
    3_000,
  )
  const rotations = useReadList(
    ['rotations', project, endpoint.id],
    (client, cursor, signal) =>
      client.rotations.list(project, endpoint.id, { limit: 25, cursor }, { signal }),
    3_000,
  )
  return (
    <>
      <Card title="When each secret signs" isPadded>
        <Loaded query={secrets.query}>{({ data }) => <SecretsBar secrets={data} />}</Loaded>
      </Card>
      <Card title="Secrets">
        <Loaded query={secrets.query}>{({ data }) => <SecretTable secrets={data} />}</Loaded>
        {secrets.pager}
      </Card>
      <Card title="Rotations">
        <Loaded query={rotations.query}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty title="Never rotated">
                The first secret is still in use. Rotating takes one button and loses no delivery.
              </Empty>
            ) : (
              <RotationTable project={project} rotations={data} />
            )
          }
        </Loaded>
        {rotations.pager}
      </Card>
    </>
  )
}

function SecretTable({ secrets }: { secrets: readonly Secret[] }) {
  return (
    <Table
      label="Secrets"
      rows={secrets}
      idOf={({ id }) => id}
      columns={[
        {
          name: 'Secret',
          cell: (row) => (
            <span className="mono" title={row.id}>
              {shortId(row.id)} <span className="quiet">…{row.hint}</span>
            </span>
          ),
        },
        { name: 'Status', cell: (row) => <SecretBadge status={row.status} /> },
        { name: 'Algorithm', cell: (row) => row.algorithm },
        { name: 'Signs from', cell: (row) => <When at={row.activatesAt} /> },
        {
          name: 'Stops',
          cell: (row) => <When at={row.revokedAt ?? row.expiresAt} none="no end" />,
        },
        { name: 'Last signed', cell: (row) => <When at={row.lastSignedAt} none="never" /> },
        {
          name: 'Fingerprint',
          cell: (row) => <span className="mono quiet">{row.fingerprint}</span>,
        },
      ]}
    />
  )
}

function RotationTable(props: { project: string; rotations: readonly Rotation[] }) {
  return (
    <Table
      label="Rotations"
      rows={props.rotations}
      idOf={({ id }) => id}
      columns={[
        {
          name: 'Rotation',
          cell: (row) => (
            <Link className="mono" href={paths.rotation(props.project, row.endpointId, row.id)}>
              {shortId(row.id)}
            </Link>
          ),
        },
        { name: 'Status', cell: (row) => <RotationBadge status={row.status} /> },
        { name: 'Begun', cell: (row) => <When at={row.createdAt} /> },
        { name: 'Old secret stops', cell: (row) => <When at={row.previousSecretExpiresAt} /> },
        { name: 'Ended by', cell: (row) => row.completedBy ?? '–' },
        { name: 'Reason', cell: (row) => <span className="clip">{row.reason ?? '–'}</span> },
      ]}
    />
  )
}
