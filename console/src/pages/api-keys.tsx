import type { ApiKey } from '@countersign/sdk'
import { useState } from 'react'
import { Badge } from '../kit/badge.tsx'
import { Button } from '../kit/button.tsx'
import { Card, Empty } from '../kit/card.tsx'
import { Dialog } from '../kit/dialog.tsx'
import { OneTimeValue } from '../kit/one-time-value.tsx'
import { PageFrame } from '../kit/page.tsx'
import { Table } from '../kit/table.tsx'
import { When } from '../kit/time.tsx'
import { useToast } from '../kit/toast.tsx'
import { Loaded, useAct, useReadList } from '../read.tsx'
import { useSession } from '../session.ts'
import { CreateApiKey } from './create-api-key.tsx'
import { CreatePortalLink } from './create-portal-link.tsx'

/** Who may call the API for this project, and links for the customer's engineers. */
export function ApiKeysPage({ params }: { params: { project: string } }) {
  const { project } = params
  const [asks, setAsks] = useState<'key' | 'portal' | null>(null)
  const [shown, setShown] = useState<string | null>(null)
  const { query, pager } = useReadList(['api keys', project], (client, cursor, signal) =>
    client.apiKeys.list(project, { limit: 50, cursor }, { signal }),
  )
  const close = (owner: string | null) => {
    setAsks(null)
    if (owner !== null) setShown(owner)
  }
  const create = (
    <Button kind="primary" onClick={() => setAsks('key')}>
      New key
    </Button>
  )
  return (
    <PageFrame
      title="API keys"
      actions={
        <>
          <Button onClick={() => setAsks('portal')}>Portal link</Button>
          {create}
        </>
      }
    >
      {shown !== null && <OneTimeValue key={shown} owner={shown} />}
      <Card>
        <Loaded query={query}>
          {({ data }) =>
            data.length === 0 ? (
              <Empty title="No key yet" action={create}>
                A key lets a program of yours publish events and read deliveries of this project.
              </Empty>
            ) : (
              <KeyTable project={project} keys={data} onRotated={setShown} />
            )
          }
        </Loaded>
        {pager}
      </Card>
      {asks === 'key' && <CreateApiKey project={project} onClose={close} />}
      {asks === 'portal' && <CreatePortalLink project={project} onClose={close} />}
    </PageFrame>
  )
}

function KeyTable(props: {
  project: string
  keys: readonly ApiKey[]
  onRotated: (owner: string) => void
}) {
  const { project } = props
  return (
    <Table
      label="API keys"
      rows={props.keys}
      idOf={({ id }) => id}
      columns={[
        {
          name: 'Name',
          cell: (row) => (
            <>
              <span className="clip" title={row.name}>
                {row.name}
              </span>
              <span className="mono quiet">…{row.hint}</span>
            </>
          ),
        },
        { name: 'State', cell: (row) => <KeyBadge apiKey={row} /> },
        {
          name: 'May',
          cell: (row) => (
            <span className="clip small quiet" title={row.scopes.join(', ')}>
              {row.scopes.join(', ')}
            </span>
          ),
        },
        { name: 'Last used', cell: (row) => <When at={row.lastUsedAt} none="never" /> },
        { name: 'Made', cell: (row) => <When at={row.createdAt} /> },
        {
          name: 'Do',
          cell: (row) =>
            row.revokedAt === null && (
              <KeyActs project={project} apiKey={row} onRotated={props.onRotated} />
            ),
        },
      ]}
    />
  )
}

function KeyBadge({ apiKey }: { apiKey: ApiKey }) {
  if (apiKey.revokedAt !== null) return <Badge>revoked</Badge>
  const isOver = apiKey.expiresAt !== null && Date.parse(apiKey.expiresAt) <= Date.now()
  return isOver ? <Badge>expired</Badge> : <Badge tone="good">live</Badge>
}

function KeyActs(props: { project: string; apiKey: ApiKey; onRotated: (owner: string) => void }) {
  const { project, apiKey } = props
  const say = useToast()
  const { handovers } = useSession()
  const [asks, setAsks] = useState<'revoke' | 'rotate' | null>(null)
  const { run, isBusy, problem } = useAct(async (client) => {
    if (asks === 'revoke') {
      await client.apiKeys.revoke(project, apiKey.id)
      say('Revoked.')
    } else {
      const rotated = await client.apiKeys.rotate(project, apiKey.id)
      const value = 'key' in rotated ? rotated.key : `${rotated.clientId}:${rotated.clientSecret}`
      const owner = `${apiKey.id} ${rotated.hint}`
      handovers.set(owner, { kind: 'api_key', value, label: apiKey.name })
      props.onRotated(owner)
    }
    setAsks(null)
  })
  return (
    <span className="row nowrap">
      <Button isCompact label={`Rotate ${apiKey.name}`} onClick={() => setAsks('rotate')}>
        Rotate
      </Button>
      <Button
        isCompact
        kind="danger"
        label={`Revoke ${apiKey.name}`}
        onClick={() => setAsks('revoke')}
      >
        Revoke
      </Button>
      {asks !== null && (
        <Dialog
          title={asks === 'revoke' ? `Revoke ${apiKey.name}` : `Rotate ${apiKey.name}`}
          verb={asks === 'revoke' ? 'Revoke' : 'Rotate'}
          isDangerous={asks === 'revoke'}
          {...{ isBusy, problem }}
          onSubmit={run}
          onClose={() => setAsks(null)}
        >
          <p>
            {asks === 'revoke'
              ? 'The key stops at once, for good. Programs that use it are refused.'
              : 'You see the new value once. The present one works beside it for 24 hours.'}
          </p>
        </Dialog>
      )}
    </span>
  )
}
