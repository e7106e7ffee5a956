import type { Drill, TestResult } from '@countersign/sdk'
import { useState } from 'react'
import { Link } from 'wouter'
import { Button } from '../kit/button.tsx'
import { Card } from '../kit/card.tsx'
import { Field } from '../kit/field.tsx'
import { Notice } from '../kit/notice.tsx'
import { paths } from '../paths.ts'
import { useAct } from '../read.tsx'
import { useSession } from '../session.ts'
import { nameOfError } from './attempt-error.ts'
import { DrillReport } from './drill-report.tsx'

/** One delivery on purpose, and the probes of a rotation without one. */
export function EndpointTrials({ project, endpoint }: { project: string; endpoint: string }) {
  const { may } = useSession()
  return (
    <div className="columns even">
      {may('webhooks.write') && <TestCard project={project} endpoint={endpoint} />}
      {may('secrets.rotate') && <DrillCard project={project} endpoint={endpoint} />}
    </div>
  )
}

function TestCard({ project, endpoint }: { project: string; endpoint: string }) {
  const [type, setType] = useState('countersign.test')
  const [result, setResult] = useState<TestResult | null>(null)
  const { run, isBusy, problem } = useAct(async (client) => {
    setResult(await client.endpoints.test(project, endpoint, { eventType: type }))
  })
  return (
    <Card title="Test" isPadded>
      <div className="stack">
        <p className="quiet">Sends one delivery now and waits for the answer. It is not retried.</p>
        <Field label="Event type" value={type} onChange={setType} />
        <div>
          <Button kind="primary" onClick={run} isBusy={isBusy}>
            Send a test
          </Button>
        </div>
        {problem !== null && <Notice tone="bad">{problem}</Notice>}
        {result !== null && (
          <Notice tone={result.success ? 'good' : 'bad'}>
            <span>
              {result.success ? 'Taken' : 'Not taken'}:{' '}
              {result.statusCode ??
                (result.error === null ? 'no answer' : nameOfError(result.error))}{' '}
              in {result.durationMs} ms.
            </span>
            <Link className="plain-link" href={paths.delivery(project, result.deliveryId)}>
              See the request
            </Link>
          </Notice>
        )}
      </div>
    </Card>
  )
}

function DrillCard({ project, endpoint }: { project: string; endpoint: string }) {
  const [drill, setDrill] = useState<Drill | null>(null)
  const { run, isBusy, problem } = useAct(async (client) => {
    setDrill(await client.endpoints.drill(project, endpoint))
  })
  return (
    <Card title="Drill" isPadded>
      <div className="stack">
        <p className="quiet">
          Sends a few probes without customer data: good and wrong signatures, both secrets, an old
          timestamp. It shows how the receiver would take a rotation.
        </p>
        <div>
          <Button kind="primary" onClick={run} isBusy={isBusy}>
            Run the drill
          </Button>
        </div>
        {problem !== null && <Notice tone="bad">{problem}</Notice>}
        {drill !== null && <DrillReport drill={drill} />}
      </div>
    </Card>
  )
}
