import type { SecretPolicyOverride } from './secret-policy.ts'

/** A tenant: owns endpoints, events, event types and API keys. */
export interface Project {
  id: string
  uid: string | null
  name: string
  settings: ProjectSettings
  createdAt: number
  updatedAt: number
}

/** What a project may set over the instance's defaults; absent means the default. */
export interface ProjectSettings {
  /** Delays after the first attempt, in milliseconds. */
  retryScheduleMs?: number[]
  /** How long events, deliveries and attempts are kept. */
  retentionDays?: number
  /** Whether Composio v3.1 reads show secrets in clear, as its contract says. Default: masked. */
  revealSecretInReads?: boolean
  /** Whether probes are sent by themselves in every window. Default: only where proof is awaited. */
  autoProbe?: boolean
  /** Whether deliveries of every format name the secrets that signed. Default: `standard` alone. */
  secretIdsInEveryFormat?: boolean
  /** How old secrets may become, and what happens then. */
  secretPolicy?: SecretPolicyOverride
  /** Bounds the operator sets for `expire_current_in`, in seconds. */
  rotationBounds?: { expireCurrentInMinSeconds?: number; expireCurrentInMaxSeconds?: number }
}
