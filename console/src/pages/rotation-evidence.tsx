import type { Rotation } from '@countersign/sdk'
import { Badge, type Tone } from '../kit/badge.tsx'
import { Card, Empty } from '../kit/card.tsx'
import { When } from '../kit/time.tsx'
import { shortId } from '../paths.ts'
import { DrillReport } from './drill-report.tsx'

const tones: Record<string, Tone> = { verified: 'good', failed: 'bad', unverifying: 'bad' }

/** What is known of the receiver and the new secret. */
export function RotationEvidence({ rotation }: { rotation: Rotation }) {
  const { evidence } = rotation
  const drill = evidence?.drill ?? null
  const reported = evidence?.receiverReported ?? []
  return (
    <Card title="Evidence" isPadded>
      {drill === null && reported.length === 0 ? (
        <Empty title="Nothing is known yet">
          Probe the receiver to see which secrets it takes. Probes carry no customer data.
        </Empty>
      ) : (
        <div className="stack">
          {drill !== null && <DrillReport drill={drill} />}
          {reported.length > 0 && <Shares rotation={rotation} />}
          {evidence !== null && evidence.earlierDrills.length > 0 && (
            <details>
              <summary>Earlier probes ({evidence.earlierDrills.length})</summary>
              <ul className="stack tight">
                {evidence.earlierDrills.map((earlier) => (
                  <li key={earlier.at} className="row">
                    <Badge tone={tones[earlier.verdict] ?? 'warn'}>{earlier.verdict}</Badge>
                    <span className="quiet">
                      <When at={earlier.at} />
                    </span>
                  </li>
                ))}
              </ul>
            </details>
          )}
        </div>
      )}
    </Card>
  )
}

/** Which secret the receiver says it verified with. */
function Shares({ rotation }: { rotation: Rotation }) {
  return (
    <section className="shares">
      <h3>What the receiver says it verified with</h3>
      {(rotation.evidence?.receiverReported ?? []).map(({ secretId, share, count, lastAt }) => (
        <div key={secretId}>
          <span className="row apart small">
            <span>
              {secretId === rotation.newSecretId ? 'New secret' : 'Old secret'}{' '}
              <span className="mono quiet">{shortId(secretId)}</span>
            </span>
            <span className="quiet">
              {Math.round(share * 100)} % of deliveries ({count}), last <When at={lastAt} />
            </span>
          </span>
          <div className="meter">
            <div style={{ width: `${share * 100}%` }} />
          </div>
        </div>
      ))}
      <p className="quiet small">The receiver’s own word: shown, and never proof by itself.</p>
    </section>
  )
}
