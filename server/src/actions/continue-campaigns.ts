import {
  afterRefusal,
  afterTurn,
  type Campaign,
  type CampaignEndpoint,
  turnsAt,
} from '../core/campaign.ts'
import { AppError } from '../core/errors.ts'
import { algorithmInForce } from '../core/secret-algorithm.ts'
import type { Transaction } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'
import { recordAudit } from './record-audit.ts'
import { type RotateSecretInput, rotateSecret } from './rotate-secret.ts'

/** Rotated side by side, so that they share commits… */
const endpointsAtOnceMax = 50
/** …or not many, where each has a commit of its own, and they meet at the campaign's row. */
const endpointsAtOnceMaxOnCluster = 6
const campaignsAtOnceMax = 10

/**
 * Rotates what campaigns may rotate now. What is done stands in the store, in the transaction of
 * each rotation, so a restart goes on where it was. False where nothing is left to do for now.
 */
export async function continueCampaigns(context: ActionContext): Promise<boolean> {
  const now = context.clock.now()
  const due = await context.storage.listDueCampaigns(now, campaignsAtOnceMax)
  let isMore = false
  for (const campaign of due) isMore = (await continueCampaign(context, campaign, now)) || isMore
  return isMore
}

async function continueCampaign(
  context: ActionContext,
  campaign: Campaign,
  now: number,
): Promise<boolean> {
  const isAlone = context.storage.cluster === null
  const atOnceMax = isAlone ? endpointsAtOnceMax : endpointsAtOnceMaxOnCluster
  const turns = Math.min(turnsAt(campaign, now), atOnceMax)
  const work = await context.storage.listCampaignWork(campaign.id, now, turns)
  if (work.length === 0) {
    const left = await context.storage.listCampaignWork(campaign.id, Number.MAX_SAFE_INTEGER, 1)
    await (left[0] === undefined ? complete(context, campaign.id) : waitFor(context, left[0]))
    return false
  }
  await Promise.all(work.map((endpoint) => rotateEndpoint(context, campaign, endpoint)))
  return true
}

/** What ends a turn without an effect: the campaign, or the endpoint, is no longer as it was. */
class Overtaken extends Error {}

async function rotateEndpoint(
  context: ActionContext,
  campaign: Campaign,
  { projectId, endpointId }: CampaignEndpoint,
): Promise<void> {
  const { clock } = context
  // In the rotation's own transaction, so that it and its mark are there together or not at all.
  const inTurn: ActionContext = {
    ...context,
    transact: (work) =>
      context.transact(async (tx) => {
        const { current, endpoint } = await takeUp(tx, campaign.id, endpointId)
        const now = clock.now()
        if (current.nextAt > now) throw new Overtaken()
        const result = await work(tx)
        const rotation = await tx.latestRotation(endpointId)
        await tx.updateCampaign({ ...current, nextAt: afterTurn(current, now) })
        await tx.updateCampaignEndpoint({
          ...endpoint,
          state: 'rotated',
          rotationId: rotation?.id ?? null,
          refusal: null,
          nextTryAt: null,
          updatedAt: now,
        })
        return result
      }),
  }
  try {
    const input = await inputOf(inTurn, campaign, { projectId, endpointId })
    await rotateSecret(inTurn, projectId, endpointId, input)
  } catch (error) {
    if (error instanceof Overtaken) return
    if (!(error instanceof AppError) || error.status >= 500) throw error
    await noteRefusal(context, campaign.id, endpointId, error)
  }
}

/** The campaign and its endpoint, if it is still to be rotated. */
async function takeUp(
  tx: Transaction,
  campaignId: string,
  endpointId: string,
): Promise<{ current: Campaign; endpoint: CampaignEndpoint }> {
  const current = await tx.getCampaign(campaignId)
  const endpoint = await tx.getCampaignEndpoint(campaignId, endpointId)
  const isOpen = endpoint?.state === 'pending' || endpoint?.state === 'blocked'
  if (current?.status !== 'running' || endpoint === null || !isOpen) throw new Overtaken()
  return { current, endpoint }
}

/** Public keys need no hand; a shared secret that nobody could fetch would be of no use. */
async function inputOf(
  context: ActionContext,
  { id, rotation }: Campaign,
  { endpointId }: { projectId: string; endpointId: string },
): Promise<RotateSecretInput> {
  const secrets = await context.storage.listSecrets(endpointId)
  const isShared = algorithmInForce(secrets, context.clock.now()) !== 'ed25519'
  if (isShared && rotation.deliver === null) {
    throw new AppError('validation_failed', {
      detail:
        'Its secret is a shared one, and the campaign has no claim links by which anyone could fetch a new one.',
      param: 'deliver',
    })
  }
  return {
    campaignId: id,
    deliver: isShared ? 'claim_link' : undefined,
    activateAt: rotation.activateAt ?? undefined,
    expireCurrentInSeconds: rotation.expireCurrentInSeconds ?? undefined,
    completeWhen: rotation.completeWhen,
    reason: rotation.reason,
  }
}

async function noteRefusal(
  context: ActionContext,
  campaignId: string,
  endpointId: string,
  { code, details }: AppError,
): Promise<void> {
  await context.storage.transact(async (tx) => {
    const endpoint = await tx.getCampaignEndpoint(campaignId, endpointId)
    // What was rotated meanwhile stays rotated.
    if (endpoint === null || endpoint.state === 'rotated') return
    const refusal = { code, detail: details.detail }
    await tx.updateCampaignEndpoint(afterRefusal(endpoint, refusal, context.clock.now()))
  })
}

/** All that are left are blocked: until the first is tried again, other campaigns have the turns. */
async function waitFor(
  context: ActionContext,
  { campaignId, nextTryAt }: CampaignEndpoint,
): Promise<void> {
  await context.storage.transact(async (tx) => {
    const campaign = await tx.getCampaign(campaignId)
    if (campaign?.status !== 'running' || nextTryAt === null) return
    await tx.updateCampaign({ ...campaign, nextAt: Math.max(campaign.nextAt, nextTryAt) })
  })
}

/** No endpoint is left to be rotated, and none is ever added. */
async function complete(context: ActionContext, campaignId: string): Promise<void> {
  await context.storage.transact(async (tx) => {
    const now = context.clock.now()
    const campaign = await tx.getCampaign(campaignId)
    if (campaign?.status !== 'running') return
    const { states } = await tx.campaignProgress(campaignId, now)
    await tx.updateCampaign({ ...campaign, status: 'completed', updatedAt: now, closedAt: now })
    await recordAudit(tx, context, {
      projectId: null,
      action: 'campaign.completed',
      target: { type: 'campaign', id: campaignId },
      details: { ...states },
    })
  })
}
