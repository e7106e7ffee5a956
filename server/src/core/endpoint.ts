import type { Actor } from './authorization.ts'
import type { DialectName } from './dialect.ts'
import type { Health } from './health.ts'

/** What a person sees of an endpoint at one glance; every endpoint is in exactly one. */
export const endpointConditions = ['active', 'failing', 'blocked', 'disabled'] as const
/**
 * `blocked`: by its health, whatever its state. Else `disabled` by its state; else `failing` by its
 * health; else `active`.
 */
export type EndpointCondition = (typeof endpointConditions)[number]

/** A URL that receives events of chosen types. */
export interface Endpoint extends Health {
  id: string
  projectId: string
  uid: string | null
  url: string
  description: string | null
  eventTypes: string[]
  state: 'active' | 'disabled'
  blockedAt: number | null
  blockedReason: string | null
  signingEnabled: boolean
  /** Since when the receiver is known to take wrong signatures; null: not known of it. */
  unverifyingSince: number | null
  format: string
  /** Custom header names in clear, in the order given; the values are in `sealedHeaders`. */
  headerNames: string[]
  /** JSON object of the custom headers, encrypted; null where there are none. */
  sealedHeaders: Uint8Array | null
  metadata: Record<string, unknown>
  rateLimitPerSecond: number | null
  createdBy: Actor
  /** The dialect through which it was created; null: the native API. Never changes. */
  dialect: DialectName | null
  createdAt: number
  updatedAt: number
  deletedAt: number | null
}
