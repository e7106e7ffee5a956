import type { ActionContext } from '../../actions/action-context.ts'
import { changeCampaign } from '../../actions/change-campaign.ts'
import { type CampaignWithProgress, createCampaign } from '../../actions/create-campaign.ts'
import { loadCampaign } from '../../actions/load.ts'
import { type Campaign, campaignEndpointStates } from '../../core/campaign.ts'
import { jsonAnswer } from '../answer.ts'
import { jsonBody } from '../request-body.ts'
import { plainRoute, postRoute, type Route } from '../route.ts'
import {
  CampaignEndpointSchema,
  CampaignSchema,
  CreateCampaignSchema,
  presentCampaign,
  presentCampaignEndpoint,
  readCampaign,
} from '../wire/campaign.ts'
import { oneOf } from '../wire/fields.ts'
import { listQuery, pageOf, pageRequest, presentPage } from '../wire/page.ts'
import { Type } from '../wire/type.ts'

export const CampaignPageSchema = pageOf(CampaignSchema, 'CampaignPage')
export const CampaignEndpointPageSchema = pageOf(
  CampaignEndpointSchema,
  'CampaignEndpointPage',
  'The newest secret first.',
)

const verbTexts = {
  pause: {
    summary: 'Pause a campaign',
    description:
      'After the answer it rotates nothing. The rotations that it made go on. Pausing it again changes nothing.',
  },
  resume: {
    summary: 'Let a paused campaign go on',
    description: 'At its pace: what it has missed is not made up for.',
  },
  cancel: {
    summary: 'End a campaign',
    description:
      'After the answer it rotates nothing. The rotations that it made go on: cancel or complete them one by one.',
  },
} as const

export const campaignRoutes: readonly Route[] = [
  postRoute({
    method: 'POST',
    path: '/v1/rotation-campaigns',
    name: 'createCampaign',
    summary: 'Begin to rotate many endpoints',
    description:
      'The endpoints are those that the filter names now; an id in it that nothing has is refused. Each is rotated once, the oldest secret first, at the chosen pace. Claim links are not in any answer: fetch each with `reissueClaimLink`.',
    tag: 'Fleet',
    access: 'root',
    body: jsonBody(CreateCampaignSchema),
    answers: { 201: CampaignSchema },
    refusals: ['public_url_missing'],
    act: async ({ context, body }) => createCampaign(context, readCampaign(body)),
    present: ({ campaign, progress }) => jsonAnswer(201, presentCampaign(campaign, progress)),
  }),
  plainRoute({
    method: 'GET',
    path: '/v1/rotation-campaigns',
    name: 'listCampaigns',
    summary: 'List campaigns',
    tag: 'Fleet',
    access: 'root',
    query: listQuery(),
    answers: { 200: CampaignPageSchema },
    async answer({ context, query }) {
      const page = await context.storage.listCampaigns(pageRequest(query))
      const items = await Promise.all(page.items.map((each) => withProgress(context, each)))
      return jsonAnswer(
        200,
        presentPage({ ...page, items }, (each) => presentCampaign(each.campaign, each.progress)),
      )
    },
  }),
  plainRoute({
    method: 'GET',
    path: '/v1/rotation-campaigns/:campaign',
    name: 'getCampaign',
    summary: 'Read a campaign with its progress',
    tag: 'Fleet',
    access: 'root',
    answers: { 200: CampaignSchema },
    async answer({ context, params }) {
      const found = await loadCampaign(context.storage, params.campaign)
      const { campaign, progress } = await withProgress(context, found)
      return jsonAnswer(200, presentCampaign(campaign, progress))
    },
  }),
  plainRoute({
    method: 'GET',
    path: '/v1/rotation-campaigns/:campaign/endpoints',
    name: 'listCampaignEndpoints',
    summary: 'List the endpoints of a campaign',
    tag: 'Fleet',
    access: 'root',
    query: listQuery({ state: Type.Optional(oneOf(campaignEndpointStates)) }),
    answers: { 200: CampaignEndpointPageSchema },
    async answer({ context, params, query }) {
      const { id } = await loadCampaign(context.storage, params.campaign)
      const filter = query.state === undefined ? {} : { state: query.state }
      const page = await context.storage.listCampaignEndpoints(id, filter, pageRequest(query))
      return jsonAnswer(200, presentPage(page, presentCampaignEndpoint))
    },
  }),
  ...(['pause', 'resume', 'cancel'] as const).map((verb) =>
    postRoute({
      method: 'POST',
      path: `/v1/rotation-campaigns/:campaign/${verb}`,
      name: `${verb}Campaign`,
      summary: verbTexts[verb].summary,
      description: verbTexts[verb].description,
      tag: 'Fleet',
      access: 'root',
      answers: { 200: CampaignSchema },
      refusals: ['campaign_closed'],
      act: ({ context, params }) => changeCampaign(context, params.campaign, verb),
      present: ({ campaign, progress }) => jsonAnswer(200, presentCampaign(campaign, progress)),
    }),
  ),
]

async function withProgress(
  { storage, clock }: ActionContext,
  campaign: Campaign,
): Promise<CampaignWithProgress> {
  return { campaign, progress: await storage.campaignProgress(campaign.id, clock.now()) }
}
