import type { Static } from 'typebox'
import { blockers, blockersOf, type FleetEntry } from '../../core/fleet.ts'
import { attentionValues, completeWhenValues, rotationState } from '../../core/rotation.ts'
import { secretAlgorithms } from '../../core/secret.ts'
import {
  effectivePolicy,
  overAgeAt,
  policyActions,
  type SecretPolicy,
} from '../../core/secret-policy.ts'
import { nullable, nullableRef, oneOf, ref, time } from './fields.ts'
import { wireTime } from './time.ts'
import { Type } from './type.ts'

export const SecretPolicySchema = Type.Object(
  {
    max_age_days: nullable(Type.Integer({ description: 'Null: any age.' })),
    action: oneOf(policyActions),
    expire_current_in: Type.Integer({ description: 'Seconds of overlap of its rotations.' }),
    complete_when: oneOf(completeWhenValues),
  },
  {
    $id: 'SecretPolicy',
    additionalProperties: false,
    description: 'The policy in force: of the project over that of the instance.',
  },
)

export const FleetRotationSchema = Type.Object(
  {
    id: Type.String(),
    status: oneOf(['staged', 'overlapping', 'held']),
    attention: nullable(oneOf(attentionValues)),
    unclaimed: Type.Boolean({ description: 'Whether nobody has used its claim link yet.' }),
    previous_secret_expires_at: nullable(time()),
    campaign_id: nullable(Type.String()),
  },
  { $id: 'FleetRotation', additionalProperties: false, description: 'The open rotation.' },
)

export const blockerField = oneOf(
  blockers,
  'What keeps an endpoint from being done with. `rotation_unclaimed`: nobody has used the claim link. `unverifying`: the receiver took a wrong signature.',
)

export const FleetEntrySchema = Type.Object(
  {
    project_id: Type.String(),
    project_name: Type.String(),
    endpoint_id: Type.String(),
    endpoint_uid: nullable(Type.String()),
    url: Type.String(),
    secret_id: Type.String({ description: 'The newest secret: the one that is not set to end.' }),
    algorithm: oneOf(secretAlgorithms),
    secret_created_at: time(),
    secret_age_days: Type.Integer({ description: 'Whole days.' }),
    over_age_at: nullable(time('When it is over its age by the policy; null: never.')),
    policy: ref(SecretPolicySchema),
    rotation: nullableRef(FleetRotationSchema),
    blockers: Type.Array(blockerField),
  },
  {
    $id: 'FleetEntry',
    additionalProperties: false,
    description: 'One endpoint, its newest secret, and what keeps it from being done with.',
  },
)

const DAY_MS = 86_400_000

export function presentFleetEntry(
  entry: FleetEntry,
  instance: SecretPolicy,
  now: number,
): Static<typeof FleetEntrySchema> {
  const policy = effectivePolicy(instance, entry.policyOverride)
  return {
    project_id: entry.projectId,
    project_name: entry.projectName,
    endpoint_id: entry.endpointId,
    endpoint_uid: entry.endpointUid,
    url: entry.url,
    secret_id: entry.secretId,
    algorithm: entry.algorithm,
    secret_created_at: wireTime(entry.secretCreatedAt),
    secret_age_days: Math.max(0, Math.floor((now - entry.secretCreatedAt) / DAY_MS)),
    over_age_at: wireTime(overAgeAt(entry.secretCreatedAt, policy)),
    policy: {
      max_age_days: policy.maxAgeDays,
      action: policy.action,
      expire_current_in: policy.expireCurrentInSeconds,
      complete_when: policy.completeWhen,
    },
    rotation: presentRotation(entry.rotation, now),
    blockers: blockersOf(entry, policy, now),
  }
}

function presentRotation(
  rotation: FleetEntry['rotation'],
  now: number,
): Static<typeof FleetRotationSchema> | null {
  if (rotation === null) return null
  const { status } = rotationState(rotation, now)
  // It has run out, and nobody has announced it yet.
  if (status === 'completed' || status === 'cancelled') return null
  return {
    id: rotation.id,
    status,
    attention: rotation.attention,
    unclaimed: rotation.unclaimedWindowSeconds !== null,
    previous_secret_expires_at: wireTime(rotation.previousSecretExpiresAt),
    campaign_id: rotation.campaignId,
  }
}
