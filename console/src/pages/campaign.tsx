import type { Campaign, CampaignEndpoint } from '@countersign/sdk'
import { useState } from 'react'
import { Link } from 'wouter'
import { Badge, type Tone } from '../kit/badge.tsx'
import { Button } from '../kit/button.tsx'
import { Card, Empty, Figures } from '../kit/card.tsx'
import { Dialog } from '../kit/dialog.tsx'
import { Choice } from '../kit/field.tsx'
import { Notice } from '../kit/notice.tsx'
import { PageFrame } from '../kit/page.tsx'
import { Table } from '../kit/table.tsx'
import { When } from '../kit/time.tsx'
import { paths, shortId } from '../paths.ts'
import { Loaded, useAct, useRead, useReadList } from '../read.tsx'
import { CampaignBadge, CampaignProgress } from './campaign-list.tsx'

/** One campaign: how far it is, and who is in its way. */
export function CampaignPage({ params }: { params: { campaign: string } }) {
  const id = params.campaign
  const query = useRead(
    ['campaign', id],
    (client, signal) => client.campaigns.get(id, { signal }),
    1_500,
  )
  const campaign = query.data
  return (
    <PageFrame
      title={campaign?.reason ?? 'Campaign'}
      crumbs={[['Fleet', '/fleet']]}
      actions={campaign !== undefined && <Acts campaign={campaign} />}
    >
      <Loaded query={query} rows={6}>
        {(loaded) => <Standing campaign={loaded} />}
      </Loaded>
      <Endpoints campaign={id} />
    </PageFrame>
  )
}

function Acts({ campaign }: { campaign: Campaign }) {
  const { id, status } = campaign
  const pause = useAct(async (client) => {
    await (status === 'paused' ? client.campaigns.resume(id) : client.campaigns.pause(id))
  })
  const [asks, setAsks] = useState(false)
  const cancel = useAct(async (client) => {
    await client.campaigns.cancel(id)
    setAsks(false)
  })
  if (status === 'completed' || status === 'cancelled') return null
  return (
    <>
      <Button onClick={pause.run} isBusy={pause.isBusy}>
        {status === 'paused' ? 'Resume' : 'Pause'}
      </Button>
      <Button kind="danger" onClick={() => setAsks(true)}>
        Stop for good
      </Button>
      {pause.problem !== null && <Notice tone="bad">{pause.problem}</Notice>}
      {asks && (
        <Dialog
          title="Stop this campaign"
          verb="Stop"
          isDangerous
          isBusy={cancel.isBusy}
          problem={cancel.problem}
          onSubmit={cancel.run}
          onClose={() => setAsks(false)}
        >
          <p>
            No further endpoint is rotated, and the campaign cannot go on later. Rotations that it
            has begun run to their end; cancel them one by one where they should not.
          </p>
        </Dialog>
      )}
    </>
  )
}

function Standing({ campaign }: { campaign: Campaign }) {
  const { endpoints, rotations } = campaign
  return (
    <>
      <div className="row">
        <CampaignBadge status={campaign.status} />
        <span className="quiet">
          {campaign.perMinute} {campaign.perMinute === 1 ? 'endpoint' : 'endpoints'} a minute ·
          begun <When at={campaign.createdAt} />
        </span>
      </div>
      <CampaignProgress endpoints={endpoints} />
      <Figures
        rows={[
          ['To come', endpoints.pending],
          ['Rotated', endpoints.rotated],
          ['Blocked', endpoints.blocked],
          ['Skipped', endpoints.skipped],
          ['Rotations open', rotations.open],
          ['Link not used', rotations.unclaimed],
          ['Held', rotations.held],
          ['Completed', rotations.completed],
        ]}
      />
    </>
  )
}

type State = CampaignEndpoint['state']

const stateTones: Record<State, Tone> = {
  pending: 'plain',
  rotated: 'good',
  blocked: 'warn',
  skipped: 'bad',
}

function Endpoints({ campaign }: { campaign: string }) {
  const [state, setState] = useState('')
  const { query, pager } = useReadList(
    ['campaign endpoints', campaign, state],
    (client, cursor, signal) =>
      client.campaigns.endpoints(
        campaign,
        { limit: 50, cursor, ...(state === '' ? {} : { state: state as State }) },
        { signal },
      ),
    2_000,
  )
  return (
    <Card
      title="Endpoints"
      actions={
        <Choice
          label="State"
          isLabelHidden
          value={state}
          onChange={setState}
          options={[
            ['', 'Every state'],
            ...Object.keys(stateTones).map((name) => [name, name] as const),
          ]}
        />
      }
    >
      <Loaded query={query} rows={6}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="None">No endpoint of this campaign is in this state.</Empty>
          ) : (
            <EndpointTable entries={data} />
          )
        }
      </Loaded>
      {pager}
    </Card>
  )
}

function EndpointTable({ entries }: { entries: readonly CampaignEndpoint[] }) {
  return (
    <Table
      label="Endpoints of this campaign"
      rows={entries}
      idOf={({ endpointId }) => endpointId}
      columns={[
        {
          name: 'Endpoint',
          cell: (row) => (
            <Link className="mono" href={paths.endpoint(row.projectId, row.endpointId)}>
              {shortId(row.endpointId)}
            </Link>
          ),
        },
        { name: 'State', cell: (row) => <Badge tone={stateTones[row.state]}>{row.state}</Badge> },
        {
          name: 'Rotation',
          cell: (row) =>
            row.rotationId === null ? (
              '–'
            ) : (
              <Link
                className="mono"
                href={paths.rotation(row.projectId, row.endpointId, row.rotationId)}
              >
                {shortId(row.rotationId)}
              </Link>
            ),
        },
        {
          name: 'Why not',
          cell: (row) => <span className="clip">{row.refusal?.detail ?? '–'}</span>,
        },
        { name: 'Next try', cell: (row) => <When at={row.nextTryAt} /> },
      ]}
    />
  )
}
