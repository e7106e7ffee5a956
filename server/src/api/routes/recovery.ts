import { loadEndpoint } from '../../actions/load.ts'
import { recoverEndpoint } from '../../actions/recover-endpoint.ts'
import { jsonAnswer } from '../answer.ts'
import { jsonBody } from '../request-body.ts'
import { plainRoute, postRoute, type Route } from '../route.ts'
import {
  EndpointStatsSchema,
  presentStats,
  RecoverEndpointSchema,
  RecoverySchema,
  readStatsQuery,
  statsQuery,
} from '../wire/stats.ts'
import { checkedTime, wireTime } from '../wire/time.ts'

export const recoveryRoutes: readonly Route[] = [
  postRoute({
    method: 'POST',
    path: '/v1/projects/:project/endpoints/:endpoint/recover',
    name: 'recoverEndpoint',
    summary: 'Send again what an endpoint missed',
    description:
      'Failed and skipped deliveries of a span become pending again, with the full retry schedule. Of many the rest follows in small steps.',
    tag: 'Endpoints',
    access: 'deliveries.write',
    body: jsonBody(RecoverEndpointSchema),
    answers: { 202: RecoverySchema },
    refusals: ['endpoint_disabled'],
    act: ({ context, params, body }) =>
      recoverEndpoint(context, params.project, params.endpoint, {
        since: checkedTime(body.since),
        until: checkedTime(body.until),
        statuses: body.statuses,
      }),
    present: ({ recovery, deliveryCount }) =>
      jsonAnswer(202, {
        endpoint_id: recovery.endpointId,
        since: wireTime(recovery.since),
        until: wireTime(recovery.until),
        statuses: recovery.statuses,
        delivery_count: deliveryCount,
      }),
  }),
  plainRoute({
    method: 'GET',
    path: '/v1/projects/:project/endpoints/:endpoint/stats',
    name: 'getEndpointStats',
    summary: 'Count what became of an endpoint’s deliveries',
    tag: 'Endpoints',
    access: 'deliveries.read',
    query: statsQuery,
    answers: { 200: EndpointStatsSchema },
    async answer({ context, params, query }) {
      const { storage, clock } = context
      const endpoint = await loadEndpoint(storage, params.project, params.endpoint)
      const request = { ...readStatsQuery(query, clock.now()), endpointId: endpoint.id }
      const stats = await storage.deliveryStats(params.project, request)
      return jsonAnswer(200, presentStats(stats, request))
    },
  }),
]
