import type { Endpoint, Rotation } from '@countersign/sdk'
import { Link } from 'wouter'
import { RotationBadge } from '../kit/badge.tsx'
import { Card, Facts } from '../kit/card.tsx'
import { Notice } from '../kit/notice.tsx'
import { OneTimeValue } from '../kit/one-time-value.tsx'
import { PageFrame } from '../kit/page.tsx'
import { When } from '../kit/time.tsx'
import { paths, shortUrl } from '../paths.ts'
import { Loaded, useRead } from '../read.tsx'
import { ReceiverSnippet } from './receiver-snippet.tsx'
import { RotationActs } from './rotation-acts.tsx'
import { RotationCountdown } from './rotation-countdown.tsx'
import { RotationEvidence } from './rotation-evidence.tsx'
import { RotationStepper } from './rotation-stepper.tsx'
import { SecretsBar } from './secrets-bar.tsx'

type RotationParams = { project: string; endpoint: string; rotation: string }

/** How often an open rotation is read, in milliseconds: a proof or a hold shows by itself. */
const liveMs = 1_500

/** One rotation, from the new secret to the end of the old one. */
export function RotationPage({ params }: { params: RotationParams }) {
  const { project, endpoint: endpointId, rotation: id } = params
  const endpoint = useRead(
    ['endpoint', project, endpointId],
    (client, signal) => client.endpoints.get(project, endpointId, { signal }),
    10_000,
  )
  const query = useRead(
    ['rotation', project, endpointId, id],
    (client, signal) => client.rotations.get(project, endpointId, id, { signal }),
    liveMs,
  )
  const name = endpoint.data === undefined ? 'Endpoint' : shortUrl(endpoint.data.url)
  return (
    <PageFrame
      title={`Rotation of ${name}`}
      crumbs={[
        ['Endpoints', paths.endpoints(project)],
        [name, paths.endpoint(project, endpointId)],
        ['Secrets', `${paths.endpoint(project, endpointId)}?tab=secrets`],
      ]}
      actions={
        endpoint.data !== undefined &&
        query.data !== undefined && (
          <RotationActs project={project} endpoint={endpoint.data} rotation={query.data} />
        )
      }
    >
      <Loaded query={query} rows={10}>
        {(rotation) => <Inside params={params} rotation={rotation} endpoint={endpoint.data} />}
      </Loaded>
    </PageFrame>
  )
}

function Inside(props: {
  params: RotationParams
  rotation: Rotation
  endpoint: Endpoint | undefined
}) {
  const { rotation, params } = props
  return (
    <>
      <OneTimeValue owner={rotation.id} />
      <Attention rotation={rotation} />
      <RotationStepper rotation={rotation} />
      <div className="columns two">
        <div className="stack">
          <Card
            title="Which secrets sign, and when"
            actions={<RotationBadge status={rotation.status} />}
            isPadded
          >
            <div className="stack">
              <RotationCountdown rotation={rotation} />
              <Secrets params={params} rotation={rotation} />
            </div>
          </Card>
          <RotationEvidence rotation={rotation} />
        </div>
        <div className="stack">
          {props.endpoint !== undefined && (
            <ReceiverSnippet endpoint={props.endpoint} rotation={rotation} />
          )}
          <Timeline rotation={rotation} />
          <About rotation={rotation} />
        </div>
      </div>
    </>
  )
}

/** Only the lanes of this rotation: what it replaced, what it brought, and what it dropped. */
function Secrets({ params, rotation }: { params: RotationParams; rotation: Rotation }) {
  const query = useRead(
    ['secrets', params.project, params.endpoint, 'of rotation'],
    (client, signal) =>
      client.endpoints
        .listSecrets(params.project, params.endpoint, { limit: 100 }, { signal })
        .page(),
    liveMs,
  )
  const ids = [rotation.newSecretId, rotation.previousSecretId, ...rotation.droppedSecretIds]
  return (
    <Loaded query={query} rows={2}>
      {({ data }) => (
        <SecretsBar
          rotation={rotation}
          secrets={data.filter(
            ({ id, status }) =>
              ids.includes(id) || (rotation.closedAt === null && status === 'retiring'),
          )}
        />
      )}
    </Loaded>
  )
}

const attentions = {
  cannot_parse_two:
    'The receiver takes each secret alone, but not two signatures in one request. Waiting would prolong that: cancel the rotation, or cut the old secret.',
  not_verified:
    'The window has passed without proof that the receiver takes the new secret. The old one signs on until then, up to the hard end.',
  claim_disputed:
    'Whoever was to claim the secret says that somebody else opened the link. Do not trust this secret: cancel, and rotate again.',
} as const

function Attention({ rotation }: { rotation: Rotation }) {
  const isUnverifying = rotation.evidence?.unverifying === true
  return (
    <>
      {rotation.attention !== null && <Notice tone="warn">{attentions[rotation.attention]}</Notice>}
      {rotation.status === 'held' && (
        <Notice tone="warn">
          <span>
            Held <When at={rotation.heldAt} />: the receiver refuses the new secret, so the old one
            signs on and nothing is lost. Deploy the new secret; the hold ends by itself.
          </span>
        </Notice>
      )}
      {isUnverifying && (
        <Notice tone="bad">
          The receiver takes wrong signatures: it does not verify at all. Nothing that it takes is
          proof, and anybody can send it events.
        </Notice>
      )}
    </>
  )
}

const whatNames: Readonly<Record<string, string>> = {
  created: 'New secret made',
  cut: 'Old secret cut, new one made',
  activated: 'New secret signs',
  claimed: 'Claim link used',
  completed: 'Completed',
  cancelled: 'Cancelled',
  held: 'Held',
  released: 'Hold ended',
  attention: 'Needs attention',
}

function Timeline({ rotation }: { rotation: Rotation }) {
  return (
    <Card title="What happened" isPadded>
      <ol className="timeline">
        {rotation.timeline.map((step) => (
          <li key={`${step.at} ${step.what}`}>
            <span className="row apart">
              <strong>{whatNames[step.what] ?? step.what.replaceAll('_', ' ')}</strong>
              <span className="quiet small">
                <When at={step.at} />
              </span>
            </span>
            <span className="quiet small">
              {[step.detail, step.actor?.name ?? step.actor?.type].filter(Boolean).join(' · ')}
            </span>
          </li>
        ))}
      </ol>
    </Card>
  )
}

function About({ rotation }: { rotation: Rotation }) {
  return (
    <Card title="About" isPadded>
      <Facts
        rows={[
          ['Ends', rotation.completeWhen === 'verified' ? 'when proved' : 'when its time is over'],
          ['Ended by', rotation.completedBy ?? '–'],
          ['Window ends', <When key="window" at={rotation.windowEndsAt} />],
          ['Hard end', <When key="cap" at={rotation.capAt} />],
          ['Reason', rotation.reason ?? '–'],
          ['Begun by', rotation.actor.name ?? rotation.actor.type],
          [
            'Campaign',
            rotation.campaignId === null ? (
              '–'
            ) : (
              <Link key="campaign" className="mono" href={paths.campaign(rotation.campaignId)}>
                {rotation.campaignId}
              </Link>
            ),
          ],
          [
            'Id',
            <span key="id" className="mono">
              {rotation.id}
            </span>,
          ],
        ]}
      />
    </Card>
  )
}
