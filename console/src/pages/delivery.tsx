import type { Attempt, DeliveryWithAttempts } from '@countersign/sdk'
import { Link } from 'wouter'
import { Badge, DeliveryBadge } from '../kit/badge.tsx'
import { Button } from '../kit/button.tsx'
import { Card, Code, Empty, Facts } from '../kit/card.tsx'
import { Copy } from '../kit/copy.tsx'
import { Notice } from '../kit/notice.tsx'
import { PageFrame } from '../kit/page.tsx'
import { When } from '../kit/time.tsx'
import { useToast } from '../kit/toast.tsx'
import { paths, shortId } from '../paths.ts'
import { Loaded, useAct, useRead } from '../read.tsx'
import { useSession } from '../session.ts'
import { describeAttemptError, describeFailure, nameOfError } from './attempt-error.ts'
import { curlOf, signaturesOf } from './attempt-request.ts'

/** One delivery: each attempt as it was sent and answered. */
export function DeliveryPage({ params }: { params: { project: string; delivery: string } }) {
  const { project, delivery: id } = params
  const { may } = useSession()
  const query = useRead(
    ['delivery', project, id],
    (client, signal) => client.deliveries.get(project, id, { signal }),
    2_000,
  )
  return (
    <PageFrame
      title={query.data?.eventType ?? 'Delivery'}
      crumbs={[['Deliveries', paths.deliveries(project)]]}
      actions={may('deliveries.write') && <Retry project={project} delivery={id} />}
    >
      <Loaded query={query} rows={8}>
        {(delivery) => <Inside project={project} delivery={delivery} />}
      </Loaded>
    </PageFrame>
  )
}

function Retry({ project, delivery }: { project: string; delivery: string }) {
  const say = useToast()
  const { run, isBusy, problem } = useAct(async (client) => {
    await client.deliveries.retry(project, delivery)
    say('It is being sent again.')
  })
  return (
    <>
      <Button kind="primary" onClick={run} isBusy={isBusy}>
        Send again
      </Button>
      {problem !== null && <Notice tone="bad">{problem}</Notice>}
    </>
  )
}

function Inside({ project, delivery }: { project: string; delivery: DeliveryWithAttempts }) {
  const { may } = useSession()
  const event = may('events.read') ? (
    <Link className="mono" href={paths.event(project, delivery.eventId)}>
      {delivery.eventId}
    </Link>
  ) : (
    <span className="mono">{delivery.eventId}</span>
  )
  return (
    <>
      <Card isPadded>
        <Facts
          rows={[
            [
              'Status',
              <span key="status" className="row">
                <DeliveryBadge status={delivery.status} />
                {delivery.failureReason !== null && describeFailure(delivery.failureReason)}
                {delivery.isTest && <Badge>test</Badge>}
              </span>,
            ],
            [
              'Endpoint',
              <Link
                key="endpoint"
                className="mono"
                href={paths.endpoint(project, delivery.endpointId)}
              >
                {delivery.endpointId}
              </Link>,
            ],
            ['Event', event],
            ['Made', <When key="made" at={delivery.createdAt} />],
            ['Next attempt', <When key="next" at={delivery.nextAttemptAt} />],
            ['Ended', <When key="ended" at={delivery.completedAt} />],
          ]}
        />
      </Card>
      {delivery.attempts.length === 0 && (
        <Card>
          <Empty title="No attempt yet">It waits for its turn, or was skipped.</Empty>
        </Card>
      )}
      {delivery.attempts.toReversed().map((attempt) => (
        <AttemptCard key={attempt.id} attempt={attempt} />
      ))}
    </>
  )
}

function AttemptCard({ attempt }: { attempt: Attempt }) {
  const { response, error } = attempt
  return (
    <Card
      title={`Attempt ${attempt.number}`}
      isPadded
      actions={
        <>
          <Badge tone={error === null ? 'good' : 'bad'}>
            {String(response?.statusCode ?? (error === null ? 'no answer' : nameOfError(error)))}
          </Badge>
          <span className="quiet">
            {attempt.durationMs} ms · <When at={attempt.startedAt} />
          </span>
          <Copy text={curlOf(attempt)} label="Copy as curl" />
        </>
      }
    >
      <div className="stack">
        {error !== null && error !== 'http_status' && (
          <Notice tone="warn">
            {describeAttemptError(error)}
            {attempt.errorDetail !== null && ` (${attempt.errorDetail})`}
          </Notice>
        )}
        <div className="columns even">
          <section className="stack tight">
            <h3>Request as sent</h3>
            <Code label={`Request of attempt ${attempt.number}`}>
              {`${attempt.request.method} ${attempt.request.url}\n${headerLines(attempt.request.headers)}`}
            </Code>
            <Signatures attempt={attempt} />
          </section>
          <section className="stack tight">
            <h3>Response as received</h3>
            {response === null ? (
              <p className="quiet">There was none.</p>
            ) : (
              <Code label={`Response to attempt ${attempt.number}`}>
                {`${response.statusCode}\n${headerLines(response.headers)}\n\n${response.body}${
                  response.bodyTruncated ? '\n… cut here' : ''
                }`}
              </Code>
            )}
          </section>
        </div>
      </div>
    </Card>
  )
}

function Signatures({ attempt }: { attempt: Attempt }) {
  if (attempt.secretIds.length === 0) return <p className="quiet">Not signed.</p>
  const signatures = signaturesOf(attempt)
  return (
    <ul className="stack tight small">
      {attempt.secretIds.map((id, index) => (
        <li key={id}>
          Signed with{' '}
          <span className="mono" title={id}>
            {shortId(id)}
          </span>
          {signatures[index] !== undefined && (
            <span className="mono quiet"> {signatures[index]}</span>
          )}
        </li>
      ))}
    </ul>
  )
}

function headerLines(headers: Record<string, string>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')
}
