import { requireRoot } from '../core/authorization.ts'
import { planCampaignVerb } from '../core/campaign.ts'
import type { ActionContext } from './action-context.ts'
import type { CampaignWithProgress } from './create-campaign.ts'
import { loadCampaign } from './load.ts'
import { recordAudit } from './record-audit.ts'

/**
 * Pauses, resumes or cancels. After the answer to a pause or a cancel the campaign rotates nothing
 * more; the rotations that it made go on. A verb that repeats what holds already changes nothing.
 */
export async function changeCampaign(
  context: ActionContext,
  campaignId: string,
  verb: 'pause' | 'resume' | 'cancel',
): Promise<CampaignWithProgress> {
  requireRoot(context.principal)
  return context.transact(async (tx) => {
    const before = await loadCampaign(tx, campaignId)
    const campaign = planCampaignVerb(before, verb, context.clock.now())
    const progress = await tx.campaignProgress(campaign.id, context.clock.now())
    if (campaign === before) return { campaign, progress }
    await tx.updateCampaign(campaign)
    await recordAudit(tx, context, {
      projectId: null,
      action: auditActions[verb],
      target: { type: 'campaign', id: campaign.id },
    })
    return { campaign, progress }
  })
}

const auditActions = {
  pause: 'campaign.paused',
  resume: 'campaign.resumed',
  cancel: 'campaign.cancelled',
} as const
