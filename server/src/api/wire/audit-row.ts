import type { Static } from 'typebox'
import type { AuditRow } from '../../core/audit.ts'
import { ActorSchema } from './actor.ts'
import { anyObject, nullable, ref, time } from './fields.ts'
import { wireTime } from './time.ts'
import { Type } from './type.ts'

export const AuditRowSchema = Type.Object(
  {
    id: Type.String(),
    at: time(),
    action: Type.String({ description: 'Such as `endpoint.secret.rotated`.' }),
    actor: ref(ActorSchema),
    target: Type.Object(
      { type: Type.String(), id: Type.String() },
      { additionalProperties: false },
    ),
    reason: nullable(Type.String()),
    request_id: nullable(Type.String()),
    source_address: nullable(Type.String()),
    details: anyObject(),
  },
  {
    $id: 'AuditRow',
    additionalProperties: false,
    description: 'Who changed what, when, why, from where. Append-only.',
  },
)

export function presentAuditRow(row: AuditRow): Static<typeof AuditRowSchema> {
  return {
    id: row.id,
    at: wireTime(row.at),
    action: row.action,
    actor: row.actor,
    target: row.target,
    reason: row.reason,
    request_id: row.requestId,
    source_address: row.sourceAddress,
    details: row.details,
  }
}
