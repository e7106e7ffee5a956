import type { Static } from 'typebox'
import { limits } from '../../core/limits.ts'
import { type PortalSession, portalScopes } from '../../core/portal-session.ts'
import { oneOf, text, time } from './fields.ts'
import { wireTime } from './time.ts'
import { Type } from './type.ts'

export const CreatePortalSessionSchema = Type.Object(
  {
    scopes: Type.Array(oneOf(portalScopes), {
      minItems: 1,
      maxItems: portalScopes.length,
      description: 'What the session may do; never more than whoever opens it.',
    }),
    actor: text(limits.nameLengthMax, 'Who will be working; stands in the audit log.'),
    expires_in: Type.Optional(
      Type.Integer({
        minimum: 60,
        maximum: limits.portalSessionMaxSeconds,
        default: limits.portalSessionDefaultSeconds,
        description: 'Seconds until it ends.',
      }),
    ),
  },
  { $id: 'CreatePortalSession', additionalProperties: false },
)

export const PortalSessionSchema = Type.Object(
  {
    id: Type.String(),
    actor: Type.String(),
    scopes: Type.Array(oneOf(portalScopes)),
    created_at: time(),
    expires_at: time(),
    token: Type.String({ description: 'Sent as a Bearer key; in this answer only.' }),
  },
  {
    $id: 'PortalSession',
    additionalProperties: false,
    description: "Lets a customer's engineer work in one project for a while.",
  },
)

export function presentPortalSession(
  session: PortalSession,
  token: string,
): Static<typeof PortalSessionSchema> {
  return {
    id: session.id,
    actor: session.actor,
    scopes: session.scopes as Static<typeof PortalSessionSchema>['scopes'],
    created_at: wireTime(session.createdAt),
    expires_at: wireTime(session.expiresAt),
    token,
  }
}
