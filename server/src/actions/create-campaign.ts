import { requireRoot } from '../core/authorization.ts'
import {
  type Campaign,
  type CampaignFilter,
  type CampaignProgress,
  type CampaignRotation,
  campaignMs,
} from '../core/campaign.ts'
import { type FieldError, invalidField, invalidFields } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import type { FleetFilter, Reads } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'
import { recordAudit } from './record-audit.ts'
import { noPublicUrl } from './reissue-claim-link.ts'

/** A campaign and how far it has come. */
export interface CampaignWithProgress {
  campaign: Campaign
  progress: CampaignProgress
}

export interface CreateCampaignInput {
  filter: CampaignFilter
  rotation: CampaignRotation
  perMinute: number
}

const DAY_MS = 86_400_000

/** Begins to rotate the endpoints that the filter names now; later ones are not added. */
export async function createCampaign(
  context: ActionContext,
  input: CreateCampaignInput,
): Promise<CampaignWithProgress> {
  requireRoot(context.principal)
  const { rotation } = input
  if (rotation.deliver !== null && context.settings.publicUrl === null) throw noPublicUrl()
  const now = context.clock.now()
  refuseBadActivation(rotation, now)
  await refuseUnknownIds(context.storage, input.filter)
  return context.transact(async (tx) => {
    const campaign: Campaign = {
      id: context.newId('cmp'),
      status: 'running',
      ...input,
      nextAt: now,
      actor: context.principal.actor,
      createdAt: now,
      updatedAt: now,
      closedAt: null,
    }
    const count = await tx.insertCampaign(campaign, fleetFilter(context, input.filter))
    const endsAt = now + campaignMs(count, input.perMinute)
    if (rotation.activateAt !== null && rotation.activateAt <= endsAt) {
      throw invalidField(
        'activate_at',
        `At this pace the last of ${count} endpoints is rotated at ${new Date(endsAt).toISOString()}; give a later time, or a higher per_minute.`,
      )
    }
    await recordAudit(tx, context, {
      projectId: null,
      action: 'campaign.created',
      target: { type: 'campaign', id: campaign.id },
      reason: rotation.reason,
      details: { endpoint_count: count, per_minute: input.perMinute },
    })
    return { campaign, progress: await tx.campaignProgress(campaign.id, now) }
  })
}

/**
 * What is misspelt would otherwise be left out in silence, and its secret never rotated. A uid will
 * not do either, as the store compares ids.
 */
async function refuseUnknownIds(reads: Reads, filter: CampaignFilter): Promise<void> {
  const errors: FieldError[] = []
  const refuse = (what: 'project' | 'endpoint', index: number, id: string) =>
    errors.push({
      param: `filter.${what}_ids.${index}`,
      detail: `No ${what} has the id ${id}.`,
      code: 'not_found',
    })
  for (const [index, id] of (filter.projectIds ?? []).entries()) {
    const project = await reads.getProject(id)
    if (project?.id !== id) refuse('project', index, id)
  }
  for (const [index, id] of (filter.endpointIds ?? []).entries()) {
    const endpoint = await reads.getEndpointById(id)
    if (endpoint === null || endpoint.deletedAt !== null) refuse('endpoint', index, id)
  }
  if (errors.length > 0) throw invalidFields(errors)
}

/** What a filter means at this instant. */
function fleetFilter(context: ActionContext, filter: CampaignFilter): FleetFilter {
  const { olderThanDays, ...rest } = filter
  const now = context.clock.now()
  return {
    ...rest,
    now,
    defaultMaxAgeDays: context.settings.secretPolicy.maxAgeDays,
    ...(olderThanDays === undefined ? {} : { createdUntil: now - olderThanDays * DAY_MS }),
  }
}

function refuseBadActivation({ activateAt }: CampaignRotation, now: number): void {
  if (activateAt === null || activateAt <= now + limits.activateAheadMaxMs) return
  throw invalidField('activate_at', 'This is more than 30 days ahead.')
}
