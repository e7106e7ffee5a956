import type { Delivery, Endpoint } from '@countersign/sdk'
import { useState } from 'react'
import { Link, useSearchParams } from 'wouter'
import { Badge, EndpointBadge, RotationBadge } from '../kit/badge.tsx'
import { Button } from '../kit/button.tsx'
import { Notice } from '../kit/notice.tsx'
import { OneTimeValue } from '../kit/one-time-value.tsx'
import { PageFrame } from '../kit/page.tsx'
import { When } from '../kit/time.tsx'
import { useToast } from '../kit/toast.tsx'
import { paths, shortUrl } from '../paths.ts'
import { Loaded, useAct, useRead } from '../read.tsx'
import { useSession } from '../session.ts'
import { describeAttemptError } from './attempt-error.ts'
import { DeliveryList } from './delivery-list.tsx'
import { EndpointSettings } from './endpoint-settings.tsx'
import { EndpointStatsTab } from './endpoint-stats.tsx'
import { EndpointTrials } from './endpoint-trials.tsx'
import { RecoverDialog } from './recover-dialog.tsx'
import { RotateDialog } from './rotate-dialog.tsx'
import { SecretsTab } from './secrets-tab.tsx'

const tabs = [
  ['deliveries', 'Deliveries', 'deliveries.read'],
  ['secrets', 'Secrets', 'webhooks.read'],
  ['stats', 'Numbers', 'deliveries.read'],
  ['trials', 'Test and drill', 'webhooks.read'],
  ['settings', 'Settings', 'webhooks.read'],
] as const

/** One endpoint: how it does, what it was sent, which secrets sign. */
export function EndpointPage({ params }: { params: { project: string; endpoint: string } }) {
  const { project, endpoint: id } = params
  const query = useRead(
    ['endpoint', project, id],
    (client, signal) => client.endpoints.get(project, id, { signal }),
    2_000,
  )
  const endpoint = query.data
  return (
    <PageFrame
      title={endpoint === undefined ? 'Endpoint' : shortUrl(endpoint.url)}
      crumbs={[['Endpoints', paths.endpoints(project)]]}
      actions={endpoint !== undefined && <Acts project={project} endpoint={endpoint} />}
    >
      <Loaded query={query} rows={8}>
        {(loaded) => <Inside project={project} endpoint={loaded} />}
      </Loaded>
    </PageFrame>
  )
}

function Inside({ project, endpoint }: { project: string; endpoint: Endpoint }) {
  const [search] = useSearchParams()
  const { may } = useSession()
  const shown = tabs.filter(([, , scope]) => may(scope))
  const asked = search.get('tab')
  const tab = tabs.find(([name]) => name === asked)?.[0] ?? shown[0]?.[0] ?? 'settings'
  return (
    <>
      <OneTimeValue owner={endpoint.id} />
      <Standing project={project} endpoint={endpoint} />
      <nav className="tabs" aria-label="About this endpoint">
        {shown.map(([name, title]) => (
          <Link
            key={name}
            href={`${paths.endpoint(project, endpoint.id)}?tab=${name}`}
            aria-current={tab === name ? 'page' : undefined}
          >
            {title}
          </Link>
        ))}
      </nav>
      {tab === 'deliveries' && <DeliveryList project={project} endpoint={endpoint.id} />}
      {tab === 'secrets' && <SecretsTab project={project} endpoint={endpoint} />}
      {tab === 'stats' && <EndpointStatsTab project={project} endpoint={endpoint.id} />}
      {tab === 'trials' && <EndpointTrials project={project} endpoint={endpoint.id} />}
      {tab === 'settings' && <EndpointSettings project={project} endpoint={endpoint} />}
    </>
  )
}

/** How it stands, and why where it stands badly. */
function Standing({ project, endpoint }: { project: string; endpoint: Endpoint }) {
  const { rotation } = endpoint
  return (
    <>
      <div className="row">
        <EndpointBadge endpoint={endpoint} />
        {endpoint.unverifying && <Badge tone="bad">takes any signature</Badge>}
        <span className="quiet">
          Delivered <When at={endpoint.lastSuccessAt} none="never" /> · failed{' '}
          <When at={endpoint.lastFailureAt} none="never" />
        </span>
        <span className="quiet mono small">{endpoint.id}</span>
      </div>
      {endpoint.health !== 'healthy' && <Trouble project={project} endpoint={endpoint} />}
      {rotation !== null && (
        <Notice tone={rotation.status === 'held' || rotation.attention ? 'warn' : 'plain'}>
          <span className="row">
            <RotationBadge status={rotation.status} />
            <span>
              A secret is being rotated.{' '}
              {rotation.previousSecretExpiresAt !== null && (
                <>
                  The old one stops <When at={rotation.previousSecretExpiresAt} />.
                </>
              )}
            </span>
          </span>
          <Link className="plain-link" href={paths.rotation(project, endpoint.id, rotation.id)}>
            Open the rotation
          </Link>
        </Notice>
      )}
    </>
  )
}

/** Why it fails: the newest failed or waiting delivery says it. */
function Trouble({ project, endpoint }: { project: string; endpoint: Endpoint }) {
  const { may } = useSession()
  const [isRecovering, setIsRecovering] = useState(false)
  const { data } = useRead(['trouble', project, endpoint.id], async (client, signal) => {
    if (!may('deliveries.read')) return null
    for (const status of ['pending', 'failed'] as const) {
      const query = { endpoint: endpoint.id, status, limit: 5 }
      const page = await client.deliveries.list(project, query, { signal }).page()
      const found = page.data.find(({ lastError }) => lastError !== null)
      if (found !== undefined) return found
    }
    return null
  })
  const why =
    data == null
      ? (endpoint.blockedReason ?? 'Deliveries to this endpoint fail.')
      : describeLast(data)
  return (
    <Notice tone={endpoint.health === 'blocked' ? 'bad' : 'warn'}>
      <span>
        {endpoint.consecutiveFailures} attempts in a row have failed. {why}
        {endpoint.blockedAt !== null && ' New events are skipped until it is switched on again.'}
      </span>
      <span className="row">
        {data != null && (
          <Link className="plain-link" href={paths.delivery(project, data.id)}>
            See the attempt
          </Link>
        )}
        {may('deliveries.write') && (
          <Button isCompact onClick={() => setIsRecovering(true)}>
            Send lost events again
          </Button>
        )}
      </span>
      {isRecovering && (
        <RecoverDialog
          project={project}
          endpoint={endpoint}
          onClose={() => setIsRecovering(false)}
        />
      )}
    </Notice>
  )
}

function describeLast({ lastStatusCode, lastError }: Delivery): string {
  if (lastError === 'http_status') return `The last answer was ${lastStatusCode}.`
  return lastError === null ? 'The last attempt failed.' : describeAttemptError(lastError)
}

function Acts({ project, endpoint }: { project: string; endpoint: Endpoint }) {
  const { may } = useSession()
  const say = useToast()
  const [asks, setAsks] = useState<'rotate' | 'recover' | null>(null)
  const isPaused = endpoint.state === 'disabled' || endpoint.health === 'blocked'
  const toggle = useAct(async (client) => {
    const state = isPaused ? 'active' : 'disabled'
    await client.endpoints.update(project, endpoint.id, { state })
    say(isPaused ? 'The endpoint receives events again.' : 'The endpoint is paused.')
  })
  return (
    <>
      {may('webhooks.write') && (
        <Button onClick={toggle.run} isBusy={toggle.isBusy}>
          {isPaused ? 'Switch on' : 'Pause'}
        </Button>
      )}
      {may('deliveries.write') && <Button onClick={() => setAsks('recover')}>Recover</Button>}
      {may('secrets.rotate') && (
        <Button kind="primary" onClick={() => setAsks('rotate')}>
          Rotate the secret
        </Button>
      )}
      {toggle.problem !== null && <Notice tone="bad">{toggle.problem}</Notice>}
      {asks === 'rotate' && (
        <RotateDialog project={project} endpoint={endpoint} onClose={() => setAsks(null)} />
      )}
      {asks === 'recover' && (
        <RecoverDialog project={project} endpoint={endpoint} onClose={() => setAsks(null)} />
      )}
    </>
  )
}
