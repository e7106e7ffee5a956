import type { Campaign } from '@countersign/sdk'
import { Link } from 'wouter'
import { Badge, type Tone } from '../kit/badge.tsx'
import { Card, Empty } from '../kit/card.tsx'
import { Table } from '../kit/table.tsx'
import { When } from '../kit/time.tsx'
import { paths, shortId } from '../paths.ts'
import { Loaded, useReadList } from '../read.tsx'

const tones: Record<Campaign['status'], Tone> = {
  running: 'accent',
  paused: 'warn',
  completed: 'good',
  cancelled: 'plain',
}

export function CampaignBadge({ status }: { status: Campaign['status'] }) {
  return <Badge tone={tones[status]}>{status}</Badge>
}

/** How far a campaign has come. */
export function CampaignProgress({ endpoints }: Pick<Campaign, 'endpoints'>) {
  const done = endpoints.rotated + endpoints.skipped
  const share = endpoints.total === 0 ? 1 : done / endpoints.total
  return (
    <div className="stack tight progress">
      <div
        className="meter"
        role="progressbar"
        aria-label="Endpoints done"
        aria-valuenow={Math.round(share * 100)}
        aria-valuemin={0}
        aria-valuemax={100}
      >
        <div style={{ width: `${share * 100}%` }} />
      </div>
      <span className="small quiet nowrap">
        {done} of {endpoints.total}
        {endpoints.blocked > 0 && `, ${endpoints.blocked} blocked`}
      </span>
    </div>
  )
}

/** The campaigns, newest first. */
export function CampaignList() {
  const { query, pager } = useReadList(
    ['campaigns'],
    (client, cursor, signal) => client.campaigns.list({ limit: 10, cursor }, { signal }),
    2_000,
  )
  return (
    <Card title="Campaigns">
      <Loaded query={query} rows={2}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="No campaign yet">
              A campaign rotates many endpoints at a pace you choose, each exactly once.
            </Empty>
          ) : (
            <CampaignTable campaigns={data} />
          )
        }
      </Loaded>
      {pager}
    </Card>
  )
}

function CampaignTable({ campaigns }: { campaigns: readonly Campaign[] }) {
  return (
    <Table
      label="Campaigns"
      rows={campaigns}
      idOf={({ id }) => id}
      columns={[
        {
          name: 'Campaign',
          cell: (row) => (
            <Link className="clip" href={paths.campaign(row.id)}>
              {row.reason ?? shortId(row.id)}
            </Link>
          ),
        },
        { name: 'Status', cell: (row) => <CampaignBadge status={row.status} /> },
        { name: 'Progress', cell: (row) => <CampaignProgress endpoints={row.endpoints} /> },
        { name: 'Pace', cell: (row) => `${row.perMinute} a minute` },
        { name: 'Begun', cell: (row) => <When at={row.createdAt} /> },
      ]}
    />
  )
}
