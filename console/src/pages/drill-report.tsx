import type { Drill, ProbeFinding } from '@countersign/sdk'
import { Badge, type Tone } from '../kit/badge.tsx'
import { Notice } from '../kit/notice.tsx'
import { When } from '../kit/time.tsx'
import { nameOfError } from './attempt-error.ts'

const verdicts: Record<Drill['verdict'], [tone: 'good' | 'warn' | 'bad', text: string]> = {
  verified: ['good', 'Proved: the receiver takes the new secret and refuses a wrong one, twice.'],
  unverifying: [
    'bad',
    'The receiver takes wrong signatures. It checks nothing, so nothing it takes is proof.',
  ],
  failed: ['bad', 'The receiver refuses the new secret. It does not have it yet.'],
  inconclusive: ['warn', 'Nothing was shown either way. Look at the answers below.'],
}

const probeNames = {
  newOnly: ['New secret alone', 'to be taken'],
  badSignature: ['Wrong signature', 'to be refused'],
  twoSignatures: ['Both signatures', 'to be taken, in either order'],
  oldOnly: ['Old secret alone', 'only told'],
  staleTimestamp: ['Ten minutes old', 'to be refused; only told'],
} as const

/** What a battery of probes showed: the verdict, and each probe with its answers. */
export function DrillReport({ drill }: { drill: Drill }) {
  const [tone, text] = verdicts[drill.verdict]
  const names = Object.keys(probeNames) as (keyof typeof probeNames)[]
  return (
    <div className="stack tight">
      <Notice tone={tone === 'bad' ? 'warn' : tone}>{text}</Notice>
      <dl className="facts">
        {names.map((name) => {
          const finding = drill.probes[name]
          const [title, wish] = probeNames[name]
          return (
            <div key={name}>
              <dt>
                {title}
                <br />
                <span className="small">{wish}</span>
              </dt>
              <dd>
                {finding === null ? (
                  <span className="quiet">not sent</span>
                ) : (
                  <Finding finding={finding} />
                )}
              </dd>
            </div>
          )
        })}
      </dl>
      <p className="quiet small">
        Probed <When at={drill.at} />.
      </p>
    </div>
  )
}

const findingTones: Record<ProbeFinding['verdict'], Tone> = {
  pass: 'good',
  fail: 'bad',
  inconclusive: 'warn',
}

function Finding({ finding }: { finding: ProbeFinding }) {
  return (
    <div className="stack tight">
      <div>
        <Badge tone={findingTones[finding.verdict]}>{finding.verdict}</Badge>
      </div>
      <span className="probe-answers mono small quiet">
        {finding.answers.map((answer) => (
          <span key={answer.at + answer.durationMs}>
            {answer.statusCode ?? (answer.error === null ? 'no answer' : nameOfError(answer.error))}{' '}
            in {answer.durationMs} ms
          </span>
        ))}
      </span>
    </div>
  )
}
