import type { Actor } from '../core/authorization.ts'
import type {
  Campaign,
  CampaignEndpoint,
  CampaignEndpointState,
  CampaignFilter,
  CampaignRotation,
  CampaignStatus,
} from '../core/campaign.ts'

export interface CampaignRow {
  seq: number
  id: string
  status: CampaignStatus
  filter: string
  rotation: string
  per_minute: number
  next_at: number
  actor: string
  created_at: number
  updated_at: number
  closed_at: number | null
}

export interface CampaignEndpointRow {
  seq: number
  campaign_id: string
  project_id: string
  endpoint_id: string
  state: CampaignEndpointState
  rotation_id: string | null
  refusal_code: string | null
  refusal_detail: string | null
  next_try_at: number | null
  updated_at: number
}

export function toCampaign(row: CampaignRow): Campaign {
  return {
    id: row.id,
    status: row.status,
    filter: JSON.parse(row.filter) as CampaignFilter,
    rotation: JSON.parse(row.rotation) as CampaignRotation,
    perMinute: row.per_minute,
    nextAt: row.next_at,
    actor: JSON.parse(row.actor) as Actor,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    closedAt: row.closed_at,
  }
}

export function toCampaignEndpoint(row: CampaignEndpointRow): CampaignEndpoint {
  const { refusal_code: code, refusal_detail: detail } = row
  return {
    campaignId: row.campaign_id,
    projectId: row.project_id,
    endpointId: row.endpoint_id,
    state: row.state,
    rotationId: row.rotation_id,
    refusal: code === null ? null : { code, detail: detail ?? '' },
    nextTryAt: row.next_try_at,
    updatedAt: row.updated_at,
  }
}
