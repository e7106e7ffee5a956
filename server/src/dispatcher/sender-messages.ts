import type { Attempt } from '../core/delivery.ts'
import type { ProbeAnswer } from '../core/rotation-evidence.ts'
import type { SecretTimes } from '../core/secret.ts'
import type { KeyMaterial } from '../formats/format.ts'

/**
 * What the main thread and the sender thread say to each other. Plain data: it is cloned on its
 * way. Messages of one direction arrive in the order in which they were sent, and everything
 * about freshness rests on that: an endpoint's news always precede what may rely on them.
 */
export type ToSender =
  | { kind: 'endpoints'; endpoints: SenderEndpoint[]; acknowledge: number }
  /** Nothing has changed about these, and they may be signed for longer. */
  | { kind: 'fresh'; endpointIds: string[]; freshUntilMonotonic: number }
  | { kind: 'forget'; endpointIds: string[] }
  | { kind: 'deliveries'; events: SenderEvent[]; deliveries: SenderDelivery[] }
  | { kind: 'probe'; probe: SenderProbe }
  | { kind: 'stop' }

export type FromSender =
  | { kind: 'acknowledged'; acknowledge: number }
  | { kind: 'results'; results: SenderResult[]; expiredSecretIds: string[] }
  | { kind: 'probed'; id: string; answer: ProbeAnswer }
  /** Connections cannot be opened, for want of descriptors; said now and then while it lasts. */
  | { kind: 'short'; detail: string }
  /** Nothing is queued or in flight any more. */
  | { kind: 'idle' }

/** What sending to an endpoint takes. Holds secrets in clear: never logged, never stored. */
export interface SenderEndpoint {
  id: string
  projectId: string
  url: string
  format: string
  isSigned: boolean
  /** Requests name the secrets that signed, whatever the format. */
  hasSecretIds: boolean
  condition: 'active' | 'disabled' | 'deleted'
  headers: Record<string, string>
  rateLimitPerSecond: number | null
  /**
   * Until when this may be signed with, on the monotonic clock; Infinity where no other process
   * writes to the store (rotation.md section 2).
   */
  freshUntilMonotonic: number
  secrets: SenderSecret[]
}

/** Its key was imported before it was posted, so that no signature waits for that. */
export type SenderSecret = SecretTimes & KeyMaterial

/** What every format may need of an event to write a body. */
export interface SenderEvent {
  id: string
  projectId: string
  type: string
  timestamp: string
  /** JSON texts. */
  data: string
  metadata: string
}

export interface SenderDelivery {
  id: string
  projectId: string
  endpointId: string
  /** Index into the message's `events`. */
  event: number
  attemptNumber: number
  isRetry: boolean
  /** Past every queue, whatever the endpoint's condition: a test. */
  isImmediate: boolean
  leaseToken: number
  leaseUntilMonotonic: number
}

/** One request of a drill: past every queue, recorded nowhere, and nothing is learned from it. */
export interface SenderProbe {
  /** In the place of a delivery's id. */
  id: string
  endpointId: string
  event: SenderEvent
  /** In the order of the signatures; `isWrong`: over a key that nobody knows. */
  keys: readonly { secretId: string; isWrong: boolean }[]
  /** How long ago it claims to be signed. */
  signedAgoMs: number
}

/** What became of one delivery that the sender was given. */
export interface SenderResult {
  deliveryId: string
  projectId: string
  endpointId: string
  leaseToken: number
  verdict: Verdict
}

export type Verdict =
  | AttemptedVerdict
  /** Not attempted: the endpoint is disabled or deleted. */
  | { kind: 'skipped' | 'endpoint_deleted' }
  /** Not attempted: the lease or what is known of the secrets ran out, no connection can be opened, or the sender stops. */
  | { kind: 'released'; notBefore: number | null }

export interface AttemptedVerdict {
  kind: 'attempted'
  attempt: Omit<Attempt, 'number'>
  succeeded: boolean
  /** The receiver does not want this endpoint any more (410). */
  isGone: boolean
  /** The URL itself is not allowed: another try would not change that. */
  isRefusedForGood: boolean
  /** This process may open no more connections, so the receiver was not asked. */
  isOurShortage: boolean
  /** What is known of the endpoint's secrets was too old to sign with, so nothing was sent. */
  isStale: boolean
  retryAfterMs: number | null
}

/** An attempt that took longer than this held up what came after it. */
const promptMsMax = 1_000

/** True where the attempt ended soon, whatever its outcome. */
export function isPromptVerdict({ attempt }: AttemptedVerdict): boolean {
  return attempt.durationMs <= promptMsMax
}
