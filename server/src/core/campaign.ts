import type { Actor } from './authorization.ts'
import { AppError, type ErrorCode } from './errors.ts'
import type { CompleteWhen } from './rotation.ts'
import type { SecretAlgorithm } from './secret.ts'

/* Rotating a fleet at a chosen pace (rotation.md section 7). Pure. */

export const campaignStatuses = ['running', 'paused', 'completed', 'cancelled'] as const
export type CampaignStatus = (typeof campaignStatuses)[number]

/**
 * `blocked`: refused for now, tried again later. `skipped`: refused for good; the reason stands
 * beside it.
 */
export const campaignEndpointStates = ['pending', 'rotated', 'blocked', 'skipped'] as const
export type CampaignEndpointState = (typeof campaignEndpointStates)[number]

/** Which endpoints: those for which every member that is there holds. */
export interface CampaignFilter {
  projectIds?: readonly string[]
  endpointIds?: readonly string[]
  algorithm?: SecretAlgorithm
  /** Days since the newest secret was made. */
  olderThanDays?: number
  isOverAge?: true
}

/** How each endpoint is rotated. */
export interface CampaignRotation {
  /** How shared secrets are handed over; public keys need no hand. Null: shared ones are skipped. */
  deliver: 'claim_link' | null
  activateAt: number | null
  expireCurrentInSeconds: number | null
  completeWhen: CompleteWhen
  reason: string | null
}

export interface Campaign {
  id: string
  status: CampaignStatus
  filter: CampaignFilter
  rotation: CampaignRotation
  perMinute: number
  /** When the next endpoint may be rotated, in milliseconds with fractions. */
  nextAt: number
  actor: Actor
  createdAt: number
  updatedAt: number
  /** When it was completed or cancelled. */
  closedAt: number | null
}

/** One endpoint of a campaign. */
export interface CampaignEndpoint {
  campaignId: string
  projectId: string
  endpointId: string
  state: CampaignEndpointState
  rotationId: string | null
  /** Code and sentence of what refused it; null where nothing did. */
  refusal: { code: string; detail: string } | null
  /** When a blocked one is tried again. */
  nextTryAt: number | null
  updatedAt: number
}

/** How far a campaign has come, and who holds it up. */
export interface CampaignProgress {
  states: Record<CampaignEndpointState, number>
  /** What became of the rotations that it made. Those of the last three are open too. */
  rotations: Record<'open' | 'completed' | 'cancelled' | 'held' | 'attention' | 'unclaimed', number>
}

/** A campaign that fell behind catches up by what it would have done in so long, and no more. */
const CATCH_UP_MS = 1_000
export const BLOCKED_RETRY_MS = 10 * 60_000

/** How many endpoints may be rotated at `now`. */
export function turnsAt({ nextAt, perMinute }: Campaign, now: number): number {
  const from = Math.max(nextAt, now - CATCH_UP_MS)
  return from > now ? 0 : Math.floor((now - from) / intervalMs(perMinute)) + 1
}

/** `nextAt` after one endpoint was rotated at `now`. */
export function afterTurn({ nextAt, perMinute }: Campaign, now: number): number {
  return Math.max(nextAt, now - CATCH_UP_MS) + intervalMs(perMinute)
}

/** The least time in which so many endpoints can be rotated. */
export function campaignMs(count: number, perMinute: number): number {
  return Math.ceil(count * intervalMs(perMinute))
}

/** What a verb makes of a campaign; the same object where it changes nothing. Throws `campaign_closed`. */
export function planCampaignVerb(
  campaign: Campaign,
  verb: 'pause' | 'resume' | 'cancel',
  now: number,
): Campaign {
  const status = ({ pause: 'paused', resume: 'running', cancel: 'cancelled' } as const)[verb]
  if (campaign.status === status) return campaign
  if (campaign.closedAt !== null) {
    throw new AppError('campaign_closed', {
      detail: `Campaign ${campaign.id} is ${campaign.status}.`,
    })
  }
  return { ...campaign, status, updatedAt: now, closedAt: verb === 'cancel' ? now : null }
}

/** What becomes of an endpoint whose rotation was refused. */
export function afterRefusal(
  endpoint: CampaignEndpoint,
  refusal: { code: string; detail: string },
  now: number,
): CampaignEndpoint {
  const isPassing = passingRefusals.some((code) => code === refusal.code)
  return {
    ...endpoint,
    state: isPassing ? 'blocked' : 'skipped',
    nextTryAt: isPassing ? now + BLOCKED_RETRY_MS : null,
    refusal,
    updatedAt: now,
  }
}

/** An open rotation ends some day; whatever else refuses would refuse again. */
const passingRefusals: readonly ErrorCode[] = ['rotation_in_progress', 'secret_changed']

function intervalMs(perMinute: number): number {
  return 60_000 / perMinute
}
