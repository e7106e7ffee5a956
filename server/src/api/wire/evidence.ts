import type { Static } from 'typebox'
import type { Rotation } from '../../core/rotation.ts'
import type {
  DrillReport,
  ProbeAnswer,
  ProbeFinding,
  ProbeName,
} from '../../core/rotation-evidence.ts'
import { nullable, nullableRef, oneOf, ref, time } from './fields.ts'
import { wireTime } from './time.ts'
import { Type } from './type.ts'

const drillVerdict = oneOf(
  ['verified', 'unverifying', 'failed', 'inconclusive'],
  '`verified`: the receiver takes the new secret and refuses a wrong one, shown twice. `unverifying`: it takes a wrong one, so nothing is proved by what it takes. `failed`: it refuses the new secret. `inconclusive`: none of these was shown.',
)
const cause = oneOf(['verify', 'drill', 'watch'], '`watch`: the server looked by itself.')

export const ProbeAnswerSchema = Type.Object(
  {
    at: time(),
    status_code: nullable(Type.Integer({ description: 'Null where there was no answer.' })),
    error: nullable(Type.String()),
    duration_ms: Type.Number(),
  },
  { $id: 'ProbeAnswer', additionalProperties: false },
)

export const ProbeFindingSchema = Type.Object(
  {
    verdict: oneOf(['pass', 'fail', 'inconclusive']),
    answers: Type.Array(ref(ProbeAnswerSchema), { description: 'As the probes were sent.' }),
  },
  { $id: 'ProbeFinding', additionalProperties: false },
)

const finding = (description: string) =>
  Type.Unsafe<Static<typeof ProbeFindingSchema> | null>({
    ...nullableRef(ProbeFindingSchema),
    description,
  })

const probes = Type.Object(
  {
    new_only: finding('Signed with the new secret alone.'),
    bad_signature: finding('The right shape over a wrong key: to be refused.'),
    old_only: finding('Signed with the previous secret alone. Only told, never counted.'),
    two_signatures: finding('Both signatures in one request, in either order.'),
    stale_timestamp: finding('Signed ten minutes ago: to be refused. Only told, never counted.'),
  },
  { additionalProperties: false, description: 'Null where that probe was not sent.' },
)

export const DrillSchema = Type.Object(
  { endpoint_id: Type.String(), at: time(), cause, verdict: drillVerdict, probes },
  {
    $id: 'Drill',
    additionalProperties: false,
    description: 'What a battery of probes showed of a receiver.',
  },
)

export const EarlierDrillSchema = Type.Object(
  { at: time(), cause, verdict: drillVerdict },
  { $id: 'EarlierDrill', additionalProperties: false },
)

export const ReportedSecretSchema = Type.Object(
  {
    secret_id: Type.String(),
    count: Type.Integer(),
    share: Type.Number({ description: 'Of all reports of this rotation; from 0 to 1.' }),
    last_at: time(),
  },
  { $id: 'ReportedSecret', additionalProperties: false },
)

export const EvidenceSchema = Type.Object(
  {
    verified: Type.Boolean({ description: 'The newest drill is proof.' }),
    verified_at: nullable(time('When a drill first gave proof.')),
    unverifying: Type.Boolean({
      description: 'The receiver takes wrong signatures, so nothing that it takes is proof.',
    }),
    drill: nullableRef(DrillSchema),
    earlier_drills: Type.Array(ref(EarlierDrillSchema), { description: 'Newest first.' }),
    receiver_reported: Type.Array(ref(ReportedSecretSchema), {
      description:
        'Which secret the receiver says it verified with (`webhook-verified-secret`), over deliveries that carried several. Never proof by itself.',
    }),
  },
  {
    $id: 'Evidence',
    additionalProperties: false,
    description: 'What is known of the receiver and the new secret.',
  },
)

/** Null where nothing is known. */
export function presentEvidence({
  endpointId,
  evidence,
  reported,
}: Rotation): Static<typeof EvidenceSchema> | null {
  if (evidence === null && reported.length === 0) return null
  const latest = evidence?.latest ?? null
  const total = reported.reduce((sum, { count }) => sum + count, 0)
  return {
    verified: latest?.verdict === 'verified',
    verified_at: wireTime(evidence?.verifiedAt ?? null),
    unverifying: latest?.verdict === 'unverifying',
    drill: latest === null ? null : presentDrill(endpointId, latest),
    earlier_drills: (evidence?.earlier ?? []).map((drill) => ({
      ...drill,
      at: wireTime(drill.at),
    })),
    receiver_reported: reported.map(({ secretId, count, lastAt }) => ({
      secret_id: secretId,
      count,
      share: count / total,
      last_at: wireTime(lastAt),
    })),
  }
}

export function presentDrill(endpointId: string, drill: DrillReport): Static<typeof DrillSchema> {
  const presented = (name: ProbeName) => presentFinding(drill.probes[name])
  return {
    endpoint_id: endpointId,
    at: wireTime(drill.at),
    cause: drill.cause,
    verdict: drill.verdict,
    probes: {
      new_only: presented('new_only'),
      bad_signature: presented('bad_signature'),
      old_only: presented('old_only'),
      two_signatures: presented('two_signatures'),
      stale_timestamp: presented('stale_timestamp'),
    },
  }
}

function presentFinding(found: ProbeFinding | undefined): Static<typeof ProbeFindingSchema> | null {
  if (found === undefined) return null
  return { verdict: found.verdict, answers: found.answers.map(presentAnswer) }
}

function presentAnswer({ at, statusCode, error, durationMs }: ProbeAnswer) {
  return { at: wireTime(at), status_code: statusCode, error, duration_ms: durationMs }
}
