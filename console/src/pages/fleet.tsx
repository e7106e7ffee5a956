import type { FleetEntry, ListFleetQuery } from '@countersign/sdk'
import { useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import { Badge, RotationBadge } from '../kit/badge.tsx'
import { Button } from '../kit/button.tsx'
import { Card, Empty } from '../kit/card.tsx'
import { Choice } from '../kit/field.tsx'
import { PageFrame } from '../kit/page.tsx'
import { Table } from '../kit/table.tsx'
import { When } from '../kit/time.tsx'
import { paths, shortUrl } from '../paths.ts'
import { Loaded, useReadList } from '../read.tsx'
import { useSession } from '../session.ts'
import { CampaignList } from './campaign-list.tsx'
import { CreateCampaign } from './create-campaign.tsx'

export type Blocker = NonNullable<ListFleetQuery['blocker']>

export const blockerNames: Record<Blocker, string> = {
  over_age: 'over its age',
  rotation_held: 'rotation held',
  rotation_attention: 'needs attention',
  rotation_unclaimed: 'link not used',
  unverifying: 'takes any signature',
}

/** The endpoints of all projects by the age of their secrets, and the campaigns that renew them. */
export function FleetPage() {
  const { kind } = useSession()
  const [search, setSearch] = useSearchParams()
  const [isCreating, setIsCreating] = useState(false)
  const blocker = search.get('blocker') ?? ''
  const { query, pager } = useReadList(['fleet', blocker], (client, cursor, signal) =>
    client.fleet.list(
      { limit: 50, cursor, ...(blocker === '' ? {} : { blocker: blocker as Blocker }) },
      { signal },
    ),
  )
  return (
    <PageFrame
      title="Fleet"
      lead="Every endpoint of every project, the oldest secret first."
      actions={
        kind === 'instance' && (
          <Button kind="primary" onClick={() => setIsCreating(true)}>
            New campaign
          </Button>
        )
      }
    >
      <CampaignList />
      <Card title="Secrets by age">
        <search className="filters">
          <Choice
            label="What keeps it from being done with"
            isLabelHidden
            value={blocker}
            onChange={(value) => setSearch(value === '' ? {} : { blocker: value })}
            options={[['', 'Every endpoint'], ...Object.entries(blockerNames)]}
          />
        </search>
        <Loaded query={query} rows={8}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty title="No endpoint here">Nothing in the fleet answers to this.</Empty>
            ) : (
              <FleetTable entries={data} />
            )
          }
        </Loaded>
        {pager}
      </Card>
      {isCreating && <CreateCampaign onClose={() => setIsCreating(false)} />}
    </PageFrame>
  )
}

function FleetTable({ entries }: { entries: readonly FleetEntry[] }) {
  return (
    <Table
      label="Secrets by age"
      rows={entries}
      idOf={({ endpointId }) => endpointId}
      columns={[
        {
          name: 'Endpoint',
          cell: (row) => (
            <Link
              className="clip"
              href={`${paths.endpoint(row.projectId, row.endpointId)}?tab=secrets`}
            >
              {shortUrl(row.url)}
            </Link>
          ),
        },
        {
          name: 'Project',
          cell: (row) => <Link href={paths.project(row.projectId)}>{row.projectName}</Link>,
        },
        { name: 'Age', isNumber: true, cell: (row) => `${row.secretAgeDays} d` },
        { name: 'Over age', cell: (row) => <When at={row.overAgeAt} none="never" /> },
        {
          name: 'Policy',
          cell: ({ policy }) =>
            policy.maxAgeDays === null ? 'any age' : `${policy.maxAgeDays} d, ${policy.action}`,
        },
        {
          name: 'Rotation',
          cell: ({ projectId, endpointId, rotation }) =>
            rotation === null ? (
              <span className="quiet">–</span>
            ) : (
              <Link href={paths.rotation(projectId, endpointId, rotation.id)}>
                <RotationBadge status={rotation.status} />
              </Link>
            ),
        },
        {
          name: 'In the way',
          cell: (row) => (
            <span className="row nowrap">
              {row.blockers.map((blocker) => (
                <Badge key={blocker} tone="warn">
                  {blockerNames[blocker]}
                </Badge>
              ))}
            </span>
          ),
        },
      ]}
    />
  )
}
