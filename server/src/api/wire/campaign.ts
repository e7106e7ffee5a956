import type { Static } from 'typebox'
import {
  type Campaign,
  type CampaignEndpoint,
  type CampaignFilter,
  type CampaignProgress,
  campaignEndpointStates,
  campaignStatuses,
} from '../../core/campaign.ts'
import { limits } from '../../core/limits.ts'
import { completeWhenValues } from '../../core/rotation.ts'
import { secretAlgorithms } from '../../core/secret.ts'
import { ActorSchema } from './actor.ts'
import { nullable, oneOf, ref, text, time } from './fields.ts'
import { checkedTime, wireTime } from './time.ts'
import { Type } from './type.ts'

const ids = (description: string) =>
  Type.Array(text(64), { minItems: 1, maxItems: limits.campaignFilterIdsMax, description })

export const CampaignFilterSchema = Type.Object(
  {
    project_ids: Type.Optional(ids('Endpoints of these projects.')),
    endpoint_ids: Type.Optional(ids('These endpoints.')),
    algorithm: Type.Optional(oneOf(secretAlgorithms)),
    older_than_days: Type.Optional(Type.Integer({ minimum: 0, maximum: limits.secretAgeMaxDays })),
    over_age: Type.Optional(Type.Literal(true, { description: 'Over the age of their policy.' })),
  },
  {
    $id: 'CampaignFilter',
    additionalProperties: false,
    description: 'Endpoints for which every member that is there holds; empty: all.',
  },
)

const rotationFields = {
  deliver: oneOf(
    ['claim_link'],
    'How new shared secrets are handed over; public keys need no hand. Without it, endpoints with a shared secret are skipped.',
  ),
  activateAt: time(
    'Stage every rotation until then, at most 30 days ahead and after the last one at this pace. Public keys wait 10 minutes anyway.',
  ),
  expireCurrentIn: Type.Integer({
    minimum: 1,
    maximum: limits.expireCurrentInMaxSeconds,
    description: 'Seconds of overlap, as in a rotation. A campaign never cuts.',
  }),
  reason: text(limits.reasonLengthMax, 'Free text, into the audit log of each endpoint.'),
  perMinute: Type.Integer({
    minimum: 1,
    maximum: limits.campaignPerMinuteMax,
    description:
      'Endpoints a minute. A campaign that fell behind catches up by one second at most.',
  }),
}

export const CreateCampaignSchema = Type.Object(
  {
    filter: Type.Optional(ref(CampaignFilterSchema)),
    per_minute: rotationFields.perMinute,
    deliver: Type.Optional(rotationFields.deliver),
    activate_at: Type.Optional(rotationFields.activateAt),
    expire_current_in: Type.Optional(rotationFields.expireCurrentIn),
    complete_when: Type.Optional(oneOf(completeWhenValues)),
    reason: Type.Optional(nullable(rotationFields.reason)),
  },
  { $id: 'CreateCampaign', additionalProperties: false },
)

const count = Type.Integer({ minimum: 0 })

export const CampaignSchema = Type.Object(
  {
    id: Type.String(),
    status: oneOf(
      campaignStatuses,
      '`completed`: every endpoint is rotated or skipped. What became of the rotations, `rotations` says.',
    ),
    filter: ref(CampaignFilterSchema),
    per_minute: rotationFields.perMinute,
    deliver: nullable(rotationFields.deliver),
    activate_at: nullable(rotationFields.activateAt),
    expire_current_in: nullable(rotationFields.expireCurrentIn),
    complete_when: oneOf(completeWhenValues),
    reason: nullable(rotationFields.reason),
    actor: ref(ActorSchema),
    endpoints: Type.Object(
      { total: count, pending: count, rotated: count, blocked: count, skipped: count },
      {
        additionalProperties: false,
        description:
          'How many endpoints are in which state. `blocked`: a rotation is open, so it is tried again every 10 minutes. `skipped`: refused for good.',
      },
    ),
    rotations: Type.Object(
      {
        open: count,
        completed: count,
        cancelled: count,
        held: count,
        attention: count,
        unclaimed: count,
      },
      {
        additionalProperties: false,
        description: 'What became of the rotations it made; the last three are open too.',
      },
    ),
    created_at: time(),
    updated_at: time(),
    closed_at: nullable(time()),
  },
  {
    $id: 'Campaign',
    additionalProperties: false,
    description: 'The rotation of many endpoints, over projects, at a chosen pace.',
  },
)

export const CampaignEndpointSchema = Type.Object(
  {
    project_id: Type.String(),
    endpoint_id: Type.String(),
    state: oneOf(campaignEndpointStates),
    rotation_id: nullable(Type.String()),
    refusal: nullable(
      Type.Object(
        { code: Type.String(), detail: Type.String() },
        { additionalProperties: false, description: 'Why it was not rotated.' },
      ),
    ),
    next_try_at: nullable(time()),
    updated_at: time(),
  },
  { $id: 'CampaignEndpoint', additionalProperties: false },
)

export function readCampaign(body: Static<typeof CreateCampaignSchema>) {
  const { filter = {} } = body
  return {
    filter: readFilter(filter),
    perMinute: body.per_minute,
    rotation: {
      deliver: body.deliver ?? null,
      activateAt: checkedTime(body.activate_at) ?? null,
      expireCurrentInSeconds: body.expire_current_in ?? null,
      completeWhen: body.complete_when ?? 'expiry',
      reason: body.reason ?? null,
    },
  }
}

export function presentCampaign(
  campaign: Campaign,
  { states, rotations }: CampaignProgress,
): Static<typeof CampaignSchema> {
  const { rotation } = campaign
  const { pending, rotated, blocked, skipped } = states
  return {
    id: campaign.id,
    status: campaign.status,
    filter: presentFilter(campaign.filter),
    per_minute: campaign.perMinute,
    deliver: rotation.deliver,
    activate_at: wireTime(rotation.activateAt),
    expire_current_in: rotation.expireCurrentInSeconds,
    complete_when: rotation.completeWhen,
    reason: rotation.reason,
    actor: campaign.actor,
    endpoints: { total: pending + rotated + blocked + skipped, ...states },
    rotations,
    created_at: wireTime(campaign.createdAt),
    updated_at: wireTime(campaign.updatedAt),
    closed_at: wireTime(campaign.closedAt),
  }
}

export function presentCampaignEndpoint(
  endpoint: CampaignEndpoint,
): Static<typeof CampaignEndpointSchema> {
  return {
    project_id: endpoint.projectId,
    endpoint_id: endpoint.endpointId,
    state: endpoint.state,
    rotation_id: endpoint.rotationId,
    refusal: endpoint.refusal,
    next_try_at: wireTime(endpoint.nextTryAt),
    updated_at: wireTime(endpoint.updatedAt),
  }
}

function readFilter(wire: Static<typeof CampaignFilterSchema>): CampaignFilter {
  return {
    ...(wire.project_ids === undefined ? {} : { projectIds: wire.project_ids }),
    ...(wire.endpoint_ids === undefined ? {} : { endpointIds: wire.endpoint_ids }),
    ...(wire.algorithm === undefined ? {} : { algorithm: wire.algorithm }),
    ...(wire.older_than_days === undefined ? {} : { olderThanDays: wire.older_than_days }),
    ...(wire.over_age === undefined ? {} : { isOverAge: wire.over_age }),
  }
}

function presentFilter(filter: CampaignFilter): Static<typeof CampaignFilterSchema> {
  const { projectIds, endpointIds, algorithm, olderThanDays, isOverAge } = filter
  return {
    ...(projectIds === undefined ? {} : { project_ids: [...projectIds] }),
    ...(endpointIds === undefined ? {} : { endpoint_ids: [...endpointIds] }),
    ...(algorithm === undefined ? {} : { algorithm }),
    ...(olderThanDays === undefined ? {} : { older_than_days: olderThanDays }),
    ...(isOverAge === undefined ? {} : { over_age: isOverAge }),
  }
}
