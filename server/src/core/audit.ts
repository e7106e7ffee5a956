import type { Actor } from './authorization.ts'

/** One append-only row: who changed what, when, why, from where. */
export interface AuditRow {
  id: string
  projectId: string | null
  at: number
  /** `endpoint.secret.rotated`, `api_key.revoked`, … */
  action: string
  actor: Actor
  target: { type: string; id: string }
  reason: string | null
  requestId: string | null
  sourceAddress: string | null
  details: Record<string, unknown>
}
