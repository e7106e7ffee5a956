import { requireScope } from '../../core/authorization.ts'
import { invalidField } from '../../core/errors.ts'
import { eventStreamType } from '../answer.ts'
import { plainRoute, type Route } from '../route.ts'
import { readStreamId } from '../streams.ts'
import { oneOf } from '../wire/fields.ts'
import { Type } from '../wire/type.ts'

const streamQuery = Type.Object(
  {
    only: Type.Optional(oneOf(['events', 'deliveries'])),
  },
  { additionalProperties: false },
)

const description = `
Server-sent events, to be read with \`fetch\`: the key goes into the header as ever. Each has an \`id\`, an \`event\` and JSON in \`data\`:

- \`event\`: an event that was accepted, as \`getEvent\` answers it. Left out where the key lacks \`events.read\`.
- \`delivery\`: a delivery that is new or in another state, as lists show it.
- \`gap\`: more happened than is told of (20,000 at once); what follows is the newest.
- \`end\`: the key may no longer read; \`code\` says why.

Everything is told at least once. Connect again with the last \`id\` as \`Last-Event-ID\`: what came since follows, and some of what came shortly before it again. Deliveries that are older than that are told of in the stream that saw them begin only. A comment comes where nothing else does for 15 seconds.
`.trim()

export const streamRoutes: readonly Route[] = [
  plainRoute({
    method: 'GET',
    path: '/v1/projects/:project/stream',
    name: 'readStream',
    summary: 'Follow events and deliveries as they happen',
    description,
    tag: 'Deliveries',
    access: 'deliveries.read',
    query: streamQuery,
    answers: { 200: { contentType: eventStreamType, description: 'Until either side closes it.' } },
    async answer({ context, server, headers, params, query }) {
      const { principal, sourceAddress, clock } = context
      const { project: projectId } = params
      const mayReadEvents = principal.scopes.has('events.read')
      // Asked for by name, they are not left out in silence.
      if (query.only === 'events') requireScope(principal, projectId, 'events.read')
      const stream = server.streams.open({
        principal,
        projectId,
        tells: {
          events: mayReadEvents && query.only !== 'deliveries',
          deliveries: query.only !== 'events',
        },
        ...positionOf(headers['last-event-id'], clock.now()),
        async requireAuthority() {
          const known = await server.authenticate(headers, sourceAddress ?? '')
          requireScope(known, projectId, 'deliveries.read')
          if ((await context.storage.getProject(projectId)) === null) {
            throw invalidField('project', 'There is no such project any more.')
          }
        },
      })
      return { status: 200, stream }
    },
  }),
]

/** Where the stream goes on; from now where it was not read before. */
function positionOf(
  id: string | string[] | undefined,
  now: number,
): { position: number; floor: number } {
  if (id === undefined || id === '') return { position: now, floor: now }
  const position = typeof id === 'string' ? readStreamId(id) : null
  if (position !== null) return position
  throw invalidField('Last-Event-ID', 'Must be the id of an event of this stream.')
}
