import type { Static } from 'typebox'
import type { ActionContext } from '../../actions/action-context.ts'
import { oneOf, text, time } from '../../api/wire/fields.ts'
import { checkedTime } from '../../api/wire/time.ts'
import { Type } from '../../api/wire/type.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import { limits } from '../../core/limits.ts'
import type { DeliveryFilter } from '../../storage/storage.ts'
import { deliveryStatusOf, presentDelivery, presentStats } from './delivery.ts'
import { numberedPage, pageQuery, presentPagination } from './numbered-pages.ts'

const eventId = Type.Optional(text(limits.uidLengthMax))
const since = Type.Optional(time())

export const deliveryListQuery = pageQuery({
  status: Type.Optional(oneOf(['pending', 'success', 'skipped', 'dead'])),
  since,
  eventId,
})

export const webhookDeliveryListQuery = pageQuery({ eventId })

export const deliveryStatsQuery = Type.Object({ since })

/** One page of the project's deliveries, newest first, each with the URL that it goes to. */
export async function listDeliveries(
  context: ActionContext,
  projectId: string,
  query: Static<typeof deliveryListQuery>,
) {
  const { deliveries, pagination } = await readPage(context, projectId, query)
  const endpoints = await endpointsById(
    context,
    deliveries.map(({ endpointId }) => endpointId),
  )
  return {
    items: deliveries.map((delivery) => {
      const endpoint = endpoints.get(delivery.endpointId) ?? null
      return { ...presentDelivery(delivery, endpoint), endpointUrl: endpoint?.url ?? null }
    }),
    pagination,
  }
}

/** One page of the deliveries of one webhook, newest first. */
export async function listWebhookDeliveries(
  context: ActionContext,
  endpoint: Endpoint,
  query: Static<typeof webhookDeliveryListQuery>,
) {
  const filter = { endpointId: endpoint.id }
  const { deliveries, pagination } = await readPage(context, endpoint.projectId, query, filter)
  return { items: deliveries.map((delivery) => presentDelivery(delivery, endpoint)), pagination }
}

/** All of the project's deliveries in figures. */
export async function deliveryStats(
  { storage }: ActionContext,
  projectId: string,
  query: Static<typeof deliveryStatsQuery>,
) {
  return presentStats(await storage.countDeliveries(projectId, filterOf(query)))
}

async function readPage(
  { storage }: ActionContext,
  projectId: string,
  query: Static<typeof deliveryListQuery>,
  of: Pick<DeliveryFilter, 'endpointId'> = {},
) {
  const page = numberedPage(query)
  const filter = { ...filterOf(query), ...of }
  const [deliveries, counts] = await Promise.all([
    storage.listDeliveriesAt(projectId, filter, page.stretch),
    storage.countDeliveries(projectId, filter),
  ])
  const total =
    filter.status === undefined
      ? Object.values(counts).reduce((sum, count) => sum + count, 0)
      : counts[filter.status]
  return { deliveries, pagination: presentPagination(page, total) }
}

function filterOf({ status, since, eventId }: Static<typeof deliveryListQuery>): DeliveryFilter {
  return {
    ...(status === undefined ? {} : { status: deliveryStatusOf[status] }),
    ...(since === undefined ? {} : { since: checkedTime(since) }),
    ...(eventId === undefined ? {} : { eventId }),
  }
}

/** The endpoints of one page, deleted ones included: each is read once. */
async function endpointsById(
  { storage }: ActionContext,
  ids: readonly string[],
): Promise<Map<string, Endpoint | null>> {
  const entries = [...new Set(ids)].map(
    async (id) => [id, await storage.getEndpointById(id)] as const,
  )
  return new Map(await Promise.all(entries))
}
