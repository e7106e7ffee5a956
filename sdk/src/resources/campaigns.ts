import { toCamelCase } from '../camel-case.ts'
import { createList, type List } from '../list.ts'
import type {
  Campaign,
  CampaignEndpoint,
  CreateCampaign,
  ListCampaignEndpointsQuery,
  ListQuery,
} from '../resources.ts'
import type { PostOptions, RequestOptions, Transport } from '../transport.ts'

/**
 * Rotations of many endpoints over projects, at a chosen pace. Needs the root key.
 *
 * @example
 * const campaigns: Campaigns = client.campaigns
 */
export class Campaigns {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Begins one with the endpoints that the filter names now. Claim links are not in the answer:
   * fetch each with `rotations.reissueClaimLink`.
   * @example
   * const { id } = await client.campaigns.create({ perMinute: 60, deliver: 'claim_link' })
   */
  async create(input: CreateCampaign, options?: PostOptions): Promise<Campaign> {
    const call = { method: 'POST', path: campaignPath(), body: input, options } as const
    return toCamelCase(await this.#transport.send(call))
  }

  /**
   * Lists campaigns with their progress, newest first.
   * @example
   * const { data: [latest] } = await client.campaigns.list({ limit: 1 }).page()
   */
  list(query?: ListQuery, options?: RequestOptions): List<Campaign> {
    const path = campaignPath()
    return createList<Campaign>({ transport: this.#transport, path, query, options })
  }

  /**
   * Reads one with its progress.
   * @example
   * const { endpoints, rotations } = await client.campaigns.get(campaign)
   */
  async get(campaign: string, options?: RequestOptions): Promise<Campaign> {
    const path = campaignPath(campaign)
    return toCamelCase(await this.#transport.send({ method: 'GET', path, options }))
  }

  /**
   * Lists its endpoints, the newest secret first.
   * @example
   * const blocked = client.campaigns.endpoints(campaign, { state: 'blocked' })
   * for await (const { endpointId, refusal } of blocked) console.log(endpointId, refusal?.detail)
   */
  endpoints(
    campaign: string,
    query?: ListCampaignEndpointsQuery,
    options?: RequestOptions,
  ): List<CampaignEndpoint> {
    const path = campaignPath(campaign, 'endpoints')
    return createList<CampaignEndpoint>({ transport: this.#transport, path, query, options })
  }

  /**
   * Rotates nothing more until it is resumed. The rotations that it made go on.
   * @example
   * await client.campaigns.pause(campaign)
   */
  async pause(campaign: string, options?: PostOptions): Promise<Campaign> {
    const path = campaignPath(campaign, 'pause')
    return toCamelCase(await this.#transport.send({ method: 'POST', path, options }))
  }

  /**
   * Lets a paused one go on at its pace.
   * @example
   * await client.campaigns.resume(campaign)
   */
  async resume(campaign: string, options?: PostOptions): Promise<Campaign> {
    const path = campaignPath(campaign, 'resume')
    return toCamelCase(await this.#transport.send({ method: 'POST', path, options }))
  }

  /**
   * Ends it. The rotations that it made go on.
   * @example
   * await client.campaigns.cancel(campaign)
   */
  async cancel(campaign: string, options?: PostOptions): Promise<Campaign> {
    const path = campaignPath(campaign, 'cancel')
    return toCamelCase(await this.#transport.send({ method: 'POST', path, options }))
  }
}

function campaignPath(...rest: string[]): string[] {
  return ['rotation-campaigns', ...rest]
}
