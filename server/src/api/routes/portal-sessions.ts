import { createPortalSession } from '../../actions/create-portal-session.ts'
import { revokePortalSession } from '../../actions/revoke-portal-session.ts'
import { limits } from '../../core/limits.ts'
import { emptyAnswer, jsonAnswer } from '../answer.ts'
import { jsonBody } from '../request-body.ts'
import { plainRoute, postRoute, type Route } from '../route.ts'
import {
  CreatePortalSessionSchema,
  PortalSessionSchema,
  presentPortalSession,
} from '../wire/portal-session.ts'

export const portalSessionRoutes: readonly Route[] = [
  postRoute({
    method: 'POST',
    path: '/v1/projects/:project/portal-sessions',
    name: 'createPortalSession',
    summary: 'Open a portal session',
    description:
      'The token is in this answer only. It works on the native API until it ends or is revoked, within its scopes.',
    tag: 'Portal sessions',
    access: 'keys.write',
    body: jsonBody(CreatePortalSessionSchema),
    answers: { 201: PortalSessionSchema },
    holdsSecret: true,
    act: ({ context, params, body }) =>
      createPortalSession(context, params.project, {
        scopes: body.scopes,
        actor: body.actor,
        expiresInSeconds: body.expires_in ?? limits.portalSessionDefaultSeconds,
      }),
    present: ({ session, token }) => jsonAnswer(201, presentPortalSession(session, token)),
  }),
  plainRoute({
    method: 'DELETE',
    path: '/v1/projects/:project/portal-sessions/:session',
    name: 'revokePortalSession',
    summary: 'End a portal session',
    description: 'Its token stops at once.',
    tag: 'Portal sessions',
    access: 'keys.write',
    answers: { 204: null },
    async answer({ context, params }) {
      await revokePortalSession(context, params.project, params.session)
      return emptyAnswer
    },
  }),
]
