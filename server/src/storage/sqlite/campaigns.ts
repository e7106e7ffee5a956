import type { CampaignEndpointState, CampaignProgress } from '../../core/campaign.ts'
import {
  type CampaignEndpointRow,
  type CampaignRow,
  toCampaign,
  toCampaignEndpoint,
} from '../campaign-row.ts'
import type { Reads, Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'
import type { Effects } from './effects.ts'
import { fleetConditions, newestSecrets } from './fleet.ts'
import { readSeqPage } from './pages.ts'

const columns = `seq, id, status, filter, rotation, per_minute, next_at, actor, created_at,
  updated_at, closed_at`
const endpointColumns = `seq, campaign_id, project_id, endpoint_id, state, rotation_id,
  refusal_code, refusal_detail, next_try_at, updated_at`

export function campaignReads(
  connection: Connection,
): Pick<
  Reads,
  | 'getCampaign'
  | 'listCampaigns'
  | 'listDueCampaigns'
  | 'getCampaignEndpoint'
  | 'listCampaignEndpoints'
  | 'listCampaignWork'
  | 'campaignProgress'
> {
  return {
    async getCampaign(campaignId) {
      const row = connection.one<CampaignRow>(
        `select ${columns} from campaigns where id = ?`,
        campaignId,
      )
      return row === undefined ? null : toCampaign(row)
    },

    async listCampaigns(page) {
      return readSeqPage(
        connection,
        `select ${columns} from campaigns where seq < ? order by seq desc limit ?`,
        [],
        page,
        toCampaign,
      )
    },

    async listDueCampaigns(now, limit) {
      const rows = connection.all<CampaignRow>(
        `select ${columns} from campaigns
         where status = 'running' and next_at <= ?
         order by next_at
         limit ?`,
        now,
        limit,
      )
      return rows.map(toCampaign)
    },

    async getCampaignEndpoint(campaignId, endpointId) {
      const row = connection.one<CampaignEndpointRow>(
        `select ${endpointColumns} from campaign_endpoints
         where campaign_id = ? and endpoint_id = ?`,
        campaignId,
        endpointId,
      )
      return row === undefined ? null : toCampaignEndpoint(row)
    },

    async listCampaignEndpoints(campaignId, { state }, page) {
      return readSeqPage(
        connection,
        `select ${endpointColumns} from campaign_endpoints
         where campaign_id = ? ${state === undefined ? '' : 'and state = ?'} and seq < ?
         order by seq desc
         limit ?`,
        state === undefined ? [campaignId] : [campaignId, state],
        page,
        toCampaignEndpoint,
      )
    },

    async listCampaignWork(campaignId, now, limit) {
      const rows = (state: 'pending' | 'blocked', count: number) =>
        connection.all<CampaignEndpointRow>(
          `select ${endpointColumns} from campaign_endpoints
           where campaign_id = ? and state = ? ${state === 'blocked' ? 'and next_try_at <= ?' : ''}
           order by next_try_at, seq
           limit ?`,
          ...(state === 'blocked' ? [campaignId, state, now, count] : [campaignId, state, count]),
        )
      const pending = rows('pending', limit)
      const blocked = pending.length < limit ? rows('blocked', limit - pending.length) : []
      return [...pending, ...blocked].map(toCampaignEndpoint)
    },

    async campaignProgress(campaignId, now) {
      return {
        states: readStates(connection, campaignId),
        rotations: readOutcomes(campaignId, now),
      }
    },
  }

  function readOutcomes(campaignId: string, now: number): CampaignProgress['rotations'] {
    const row = connection.one<CampaignProgress['rotations']>(
      `select count(*) filter (where is_open) as open,
         count(*) filter (where not is_open and status = 'completed') as completed,
         count(*) filter (where status = 'cancelled') as cancelled,
         count(*) filter (where is_open and held_at is not null) as held,
         count(*) filter (where is_open and attention is not null) as attention,
         count(*) filter (where is_open and unclaimed_window_seconds is not null) as unclaimed
       from (
         select coalesce(r.outcome_status, 'completed') as status, r.held_at, r.attention,
           r.unclaimed_window_seconds,
           r.outcome_status is null and previous.expiry_seen_at is null
             and (r.previous_secret_expires_at is null or r.previous_secret_expires_at > ?)
             as is_open
         from rotations r indexed by rotations_by_campaign
           left join secrets previous on previous.id = r.previous_secret_id
         where r.campaign_id = ?
       )`,
      now,
      campaignId,
    )
    return { open: 0, completed: 0, cancelled: 0, held: 0, attention: 0, unclaimed: 0, ...row }
  }
}

export function campaignWrites(
  connection: Connection,
  effects: Effects,
): Pick<Transaction, 'insertCampaign' | 'updateCampaign' | 'updateCampaignEndpoint'> {
  return {
    async insertCampaign(campaign, filter) {
      connection.write(
        `insert into campaigns (id, status, filter, rotation, per_minute, next_at, actor, created_at,
           updated_at, closed_at)
         values (:id, :status, :filter, :rotation, :perMinute, :nextAt, :actor, :createdAt,
           :updatedAt, :closedAt)`,
        {
          ...campaign,
          filter: JSON.stringify(campaign.filter),
          rotation: JSON.stringify(campaign.rotation),
          actor: JSON.stringify(campaign.actor),
        },
      )
      effects.add({ kind: 'appoint' })
      const { conditions, values } = fleetConditions(filter)
      return connection.run(
        // An endpoint has one newest secret; should it ever have two, it is still rotated once.
        `insert or ignore into campaign_endpoints (campaign_id, project_id, endpoint_id, state,
           updated_at)
         select ?, s.project_id, s.endpoint_id, 'pending', ?
         from ${newestSecrets}
         where ${conditions}
         order by s.created_at, s.seq`,
        campaign.id,
        campaign.createdAt,
        ...values,
      )
    },

    async updateCampaign(campaign) {
      connection.run(
        'update campaigns set status = ?, next_at = ?, updated_at = ?, closed_at = ? where id = ?',
        campaign.status,
        campaign.nextAt,
        campaign.updatedAt,
        campaign.closedAt,
        campaign.id,
      )
      if (campaign.status === 'running') effects.add({ kind: 'appoint' })
    },

    async updateCampaignEndpoint(endpoint) {
      connection.run(
        `update campaign_endpoints
         set state = ?, rotation_id = ?, refusal_code = ?, refusal_detail = ?, next_try_at = ?,
           updated_at = ?
         where campaign_id = ? and endpoint_id = ?`,
        endpoint.state,
        endpoint.rotationId,
        endpoint.refusal?.code ?? null,
        endpoint.refusal?.detail ?? null,
        endpoint.nextTryAt,
        endpoint.updatedAt,
        endpoint.campaignId,
        endpoint.endpointId,
      )
    },
  }
}

function readStates(connection: Connection, campaignId: string): CampaignProgress['states'] {
  const states = { pending: 0, rotated: 0, blocked: 0, skipped: 0 }
  const rows = connection.all<{ state: CampaignEndpointState; count: number }>(
    `select state, count(*) as count from campaign_endpoints
     where campaign_id = ?
     group by state`,
    campaignId,
  )
  for (const { state, count } of rows) states[state] = count
  return states
}
