import type { Static } from 'typebox'
import { limits } from '../../core/limits.ts'
import {
  attentionValues,
  completeWhenValues,
  type Rotation,
  rotationState,
  rotationTimeline,
  type TimelineEntry,
} from '../../core/rotation.ts'
import { secretAlgorithms } from '../../core/secret.ts'
import { ActorSchema } from './actor.ts'
import { EvidenceSchema, presentEvidence } from './evidence.ts'
import { nullable, nullableRef, oneOf, ref, text, time } from './fields.ts'
import { mintedSecretFields, secretLengthMax } from './secret.ts'
import { wireTime } from './time.ts'
import { Type } from './type.ts'

const completeWhen = oneOf(
  completeWhenValues,
  '`expiry`: when the window ends. `verified`: as soon as a drill proves that the receiver takes the new secret, and not before, up to `cap_at`; the end of the window then only brings a warning.',
)
const reason = text(limits.reasonLengthMax, 'Free text, into the audit log.')

export const RotationStepSchema = Type.Object(
  {
    at: time(),
    what: Type.String(),
    actor: nullableRef(ActorSchema),
    detail: nullable(Type.String()),
  },
  {
    $id: 'RotationStep',
    additionalProperties: false,
    description: 'One entry of a timeline; `actor` is null where time alone did it.',
  },
)

export const RotationSchema = Type.Object(
  {
    id: Type.String(),
    endpoint_id: Type.String(),
    status: oneOf(
      ['staged', 'overlapping', 'held', 'completed', 'cancelled'],
      'Computed from the timestamps at the moment of asking.',
    ),
    completed_by: nullable(oneOf(['expiry', 'verified', 'manual', 'force', 'cut', 'cap'])),
    previous_secret_id: Type.String(),
    new_secret_id: Type.String(),
    activates_at: time(),
    previous_secret_expires_at: nullable(time('Null where the previous secret was cut at once.')),
    complete_when: completeWhen,
    window_ends_at: nullable(
      time(
        'When the window was asked to end. The previous secret signs beyond it while the rotation is held, or waits for proof. Null where it was cut, or waits for a claim.',
      ),
    ),
    cap_at: nullable(
      time('The hard end of a rotation that is held, or waits for proof or for a claim.'),
    ),
    held_at: nullable(
      time('Since when the expiry is put off, as the receiver does not take the new secret.'),
    ),
    unclaimed: Type.Boolean({
      description:
        'Waits for its claim link to be used: the overlap begins then, and until then only `cap_at` ends it.',
    }),
    attention: nullable(
      oneOf(
        attentionValues,
        'What somebody should look at. `cannot_parse_two`: the receiver takes each secret alone, but not two signatures in one request: cancel, or cut. `not_verified`: the window has passed without proof. `claim_disputed`: whoever was to claim the secret says that somebody else did.',
      ),
    ),
    dropped_secret_ids: Type.Array(Type.String(), {
      description: 'Secrets that stopped because a forced rotation left no room for them.',
    }),
    campaign_id: nullable(Type.String({ description: 'The campaign that made it.' })),
    reason: nullable(Type.String()),
    actor: ref(ActorSchema),
    evidence: nullableRef(EvidenceSchema),
    timeline: Type.Array(ref(RotationStepSchema), { description: 'Oldest first.' }),
    created_at: time(),
    closed_at: nullable(time()),
  },
  {
    $id: 'Rotation',
    additionalProperties: false,
    description: 'The replacing of one secret by the next.',
  },
)

export const RotateSecretSchema = Type.Object(
  {
    expire_current_in: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: limits.expireCurrentInMaxSeconds,
        default: limits.expireCurrentInDefaultSeconds,
        description:
          'Seconds the current secret keeps signing beside the new one, counted from activation. 0 cuts now.',
      }),
    ),
    secret: Type.Optional(
      text(
        secretLengthMax,
        'A secret of your own: `whsec_` and base64 of 24 to 64 bytes, or `whsk_` and that of an Ed25519 private key with its public key behind it.',
      ),
    ),
    algorithm: Type.Optional(
      oneOf(secretAlgorithms, 'Of the new secret. Default: that of the current one.'),
    ),
    activate_at: Type.Optional(
      time(
        'Stage it: made and answered now, signs only from then on; at most 30 days ahead. Default for `ed25519`: in 10 minutes; earlier needs `force`.',
      ),
    ),
    complete_when: Type.Optional(completeWhen),
    deliver: Type.Optional(
      oneOf(
        ['claim_link'],
        '`claim_link`: the answer holds a link (`claim_url`) in place of the secret. Whoever opens it and presses the button sees the secret, once; only then the overlap begins.',
      ),
    ),
    force: Type.Optional(
      Type.Boolean({
        default: false,
        description:
          'Rotate although a rotation is open, or an Ed25519 key before receivers can know it.',
      }),
    ),
    reason: Type.Optional(nullable(reason)),
    expected_current_secret_id: Type.Optional(
      text(64, 'Compare and set: 409 `secret_changed` if another rotation came first.'),
    ),
  },
  { $id: 'RotateSecret', additionalProperties: false },
)

export const RotatedSecretSchema = Type.Object(
  {
    endpoint_id: Type.String(),
    ...mintedSecretFields,
    claim_url: Type.Optional(
      Type.String({
        description:
          'With `deliver: claim_link`, in place of the secret: works once; in this answer only.',
      }),
    ),
    previous_secret_expires_at: nullable(time('Null where the previous secret was cut.')),
    rotation: ref(RotationSchema),
  },
  { $id: 'RotatedSecret', additionalProperties: false },
)

export const RevokePreviousSecretSchema = Type.Object(
  { reason: Type.Optional(nullable(reason)) },
  { $id: 'RevokePreviousSecret', additionalProperties: false },
)

export const RevokedPreviousSecretSchema = Type.Object(
  {
    revoked_secret_ids: Type.Array(Type.String()),
    rotation: nullableRef(RotationSchema),
  },
  {
    $id: 'RevokedPreviousSecret',
    additionalProperties: false,
    description: '`rotation` is the one that this completed, or null where none was open.',
  },
)

export const UpdateRotationSchema = Type.Object(
  {
    expire_current_in: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: limits.expireCurrentInMaxSeconds,
        description: 'Seconds from now, or from activation for a staged rotation.',
      }),
    ),
    previous_secret_expires_at: Type.Optional(time()),
    complete_when: Type.Optional(completeWhen),
  },
  {
    $id: 'UpdateRotation',
    additionalProperties: false,
    minProperties: 1,
    description:
      'At least one member, and not both `expire_current_in` and `previous_secret_expires_at`.',
  },
)

export const EndRotationSchema = Type.Object(
  {
    force: Type.Optional(
      Type.Boolean({ default: false, description: 'End it although evidence speaks against it.' }),
    ),
    reason: Type.Optional(nullable(reason)),
  },
  { $id: 'EndRotation', additionalProperties: false },
)

export function presentRotation(rotation: Rotation, now: number): Static<typeof RotationSchema> {
  const state = rotationState(rotation, now)
  return {
    id: rotation.id,
    endpoint_id: rotation.endpointId,
    status: state.status,
    completed_by: state.completedBy,
    previous_secret_id: rotation.previousSecretId,
    new_secret_id: rotation.newSecretId,
    activates_at: wireTime(rotation.activatesAt),
    previous_secret_expires_at: wireTime(rotation.previousSecretExpiresAt),
    complete_when: rotation.completeWhen,
    window_ends_at: wireTime(rotation.windowEndsAt),
    cap_at: wireTime(rotation.capAt),
    held_at: wireTime(rotation.heldAt),
    unclaimed: rotation.unclaimedWindowSeconds !== null,
    attention: rotation.attention,
    dropped_secret_ids: rotation.droppedSecretIds,
    campaign_id: rotation.campaignId,
    reason: rotation.reason,
    actor: rotation.actor,
    evidence: presentEvidence(rotation),
    timeline: rotationTimeline(rotation, now).map(presentStep),
    created_at: wireTime(rotation.createdAt),
    closed_at: wireTime(state.closedAt),
  }
}

function presentStep(entry: TimelineEntry): Static<typeof RotationStepSchema> {
  return { at: wireTime(entry.at), what: entry.what, actor: entry.actor, detail: entry.detail }
}
