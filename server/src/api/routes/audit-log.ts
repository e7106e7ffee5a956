import type { Static } from 'typebox'
import { limits } from '../../core/limits.ts'
import { jsonAnswer } from '../answer.ts'
import { plainRoute, type Route } from '../route.ts'
import { AuditRowSchema, presentAuditRow } from '../wire/audit-row.ts'
import { text, time } from '../wire/fields.ts'
import { listQuery, pageOf, pageRequest, presentPage } from '../wire/page.ts'
import { checkedTime } from '../wire/time.ts'
import { Type } from '../wire/type.ts'

export const AuditRowPageSchema = pageOf(AuditRowSchema, 'AuditRowPage')

const auditQuery = listQuery({
  actor: Type.Optional(text(limits.uidLengthMax, 'Id of the actor.')),
  action: Type.Optional(text(limits.uidLengthMax, 'Such as `endpoint.secret.rotated`.')),
  since: Type.Optional(time('At this time or later.')),
})

export const auditLogRoutes: readonly Route[] = [
  plainRoute({
    method: 'GET',
    path: '/v1/projects/:project/audit-log',
    name: 'listAuditRows',
    summary: 'List who changed what',
    tag: 'Audit log',
    access: 'audit.read',
    query: auditQuery,
    answers: { 200: AuditRowPageSchema },
    async answer({ context, params, query }) {
      const page = await context.storage.listAuditRows(
        params.project,
        filterOf(query),
        pageRequest(query),
      )
      return jsonAnswer(200, presentPage(page, presentAuditRow))
    },
  }),
]

function filterOf({ actor, action, since }: Static<typeof auditQuery>) {
  return {
    ...(actor === undefined ? {} : { actor }),
    ...(action === undefined ? {} : { action }),
    ...(since === undefined ? {} : { since: checkedTime(since) }),
  }
}
