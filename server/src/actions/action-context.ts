import type { Principal } from '../core/authorization.ts'
import type { Clock } from '../core/clock.ts'
import type { AttemptError } from '../core/delivery.ts'
import type { ProbeRequest } from '../core/drill.ts'
import type { Endpoint } from '../core/endpoint.ts'
import type { EventSchemas } from '../core/event-schemas.ts'
import type { IdPrefix } from '../core/ids.ts'
import type { ProbeLimiter } from '../core/probe-limiter.ts'
import type { ProbeAnswer } from '../core/rotation-evidence.ts'
import type { RotationOrder } from '../core/rotation-order.ts'
import type { SecretBox } from '../core/secret-box.ts'
import type { SecretPolicy } from '../core/secret-policy.ts'
import type { ClaimedDelivery, Storage, Transaction } from '../storage/storage.ts'
import type { EventTypeDirectory } from './effective-event-type.ts'

/**
 * What an action needs: who asks, what it may touch, and where time and randomness come from.
 * Every door (native API, dialects, jobs) makes one of these and calls the same actions.
 */
export interface ActionContext extends ActionParts {
  principal: Principal
  requestId: string | null
  sourceAddress: string | null
  /** When the call came in, as a moment of `rotationOrder`; absent: when its action begins. */
  arrival?: number
  /**
   * The one transaction whose result is the action's result. A door with an Idempotency-Key keeps
   * the answer in this same transaction, so that effect and answer are stored together or not at
   * all. Other writes of an action go through `storage`.
   */
  transact<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  /** True when the answer must be kept, so that even the hot path must use `transact`. */
  keepsAnswer: boolean
}

/** The parts that are the same for every call. */
export interface ActionParts {
  storage: Storage
  clock: Clock
  newId: (prefix: IdPrefix) => string
  randomBytes: (size: number) => Uint8Array
  secretBox: SecretBox
  settings: ActionSettings
  urlPolicy: UrlPolicy
  eventSchemas: EventSchemas
  eventTypes: EventTypeDirectory
  /** For metrics: events whose acceptance is being answered. */
  noteAccepted(count: number): void
  /** Something is to be recovered. */
  wakeRecoveries(): void
  /** Makes one attempt at once, past every queue, and resolves when it is recorded. */
  attemptNow(delivery: ClaimedDelivery): Promise<AttemptSummary>
  /** Sends one probe; resolves with what came back, also where nothing did. Recorded nowhere. */
  probe(endpoint: Endpoint, probe: ProbeRequest): Promise<ProbeAnswer>
  probeLimiter: ProbeLimiter
  rotationOrder: RotationOrder
}

export interface AttemptSummary {
  succeeded: boolean
  statusCode: number | null
  error: AttemptError | null
  durationMs: number
}

/** Options of the operator that actions obey. */
export interface ActionSettings {
  dataBytesMax: number
  endpointsPerProjectMax: number
  expireCurrentInMinSeconds: number
  expireCurrentInMaxSeconds: number
  blockAfterMs: number
  /** Where people reach this server, without a slash at the end; null where the operator does not say. */
  publicUrl: string | null
  /** How old secrets may become, where the project says nothing. */
  secretPolicy: SecretPolicy
  /** How long a window without another end stays open. */
  rotationCapMs: number
  /** How long events are kept where the project says nothing. */
  retentionDays: number
}

/** The address guard, as the actions see it. */
export interface UrlPolicy {
  /** A sentence that says what is wrong with the URL, or null. No lookup. */
  problemOf(url: string): string | null
  /**
   * A sentence when the name resolves to a refused address; null when it resolves well, does not
   * resolve, or does not answer within two seconds (api.md, Resources).
   */
  addressProblemOf(url: string): Promise<string | null>
}
