/*
 * What the native API takes and answers, in camelCase. Made by `npm run docs` from the schemas of the
 * routes, as docs/openapi.json is: change those. `resources.ts` says what of it is public.
 */

/** A tenant: owns endpoints, events and API keys. */
export interface Project {
  id: string
  /** The caller's own identifier. */
  uid: string | null
  name: string
  settings: ProjectSettings
  createdAt: string
  updatedAt: string
}

/** What a project sets over the defaults of the instance. */
export interface ProjectSettings {
  /** Delays after the first attempt, such as `5s,5m,30m`: 1 to 50, each from 1 ms to 30 days. Absent: the default of the instance. */
  retrySchedule?: string | undefined
  /** Days for which events, deliveries and attempts are kept. Absent: the default of the instance. */
  retentionDays?: number | undefined
  /** Whether Composio v3.1 reads show the signing secret in clear, as that API's contract says, to keys that may rotate. Every reveal is in the audit log. Default: false. */
  revealSecretInReads?: boolean | undefined
  /** Whether receivers are probed by themselves while a rotation is open: to explain refused deliveries, and before a window ends. Default: false, so only where a rotation waits for proof. */
  autoProbe?: boolean | undefined
  /** Whether deliveries of every format carry `webhook-secret-ids`, so that receivers can answer which secret they use. Default: false, so only the format `standard`. */
  secretIdsInEveryFormat?: boolean | undefined
  /** How old a secret may become, and what happens then: `notify` emits `endpoint.secret.over_age` once, `rotate` rotates, shared secrets by claim link. A member that is absent is the default of the instance; `max_age_days: null` is no limit. */
  secretPolicy?: {
    maxAgeDays?: number | null | undefined
    action?: 'notify' | 'rotate' | undefined
    expireCurrentIn?: number | undefined
    completeWhen?: 'expiry' | 'verified' | undefined
  } | undefined
  /** Bounds of `expireCurrentIn`, in seconds, within those of the instance, which they can only narrow. */
  rotationBounds?: {
    expireCurrentInMin?: number | undefined
    expireCurrentInMax?: number | undefined
  } | undefined
}

/** What `listProjects` answers. */
export interface ProjectPage {
  /** Newest first. */
  data: Project[]
  hasMore: boolean
  /** Pass it as `cursor`; null at the end. */
  nextCursor: string | null
}

/** What `createProject` takes. */
export interface CreateProject {
  name: string
  /** An identifier of your own, which paths take in place of the id. Must not look like an id. */
  uid?: string | null | undefined
  settings?: ProjectSettings | undefined
}

/** What is absent stays as it is; `settings` are merged member by member. */
export interface UpdateProject {
  name?: string | undefined
  /** An identifier of your own, which paths take in place of the id. Must not look like an id. */
  uid?: string | null | undefined
  settings?: ProjectSettings | undefined
}

/** A project's key, without its value. */
export interface ApiKey {
  id: string
  name: string
  scopes: (
    | 'events.write'
    | 'events.read'
    | 'webhooks.read'
    | 'webhooks.write'
    | 'secrets.rotate'
    | 'deliveries.read'
    | 'deliveries.write'
    | 'keys.write'
    | 'audit.read')[]
  /** The system whose shape the key has; null for a native one. */
  dialect: 'mobilerun' | 'composio' | 'h-company' | 'devtune' | 'dinie' | null
  /** Last four characters of the key. */
  hint: string
  createdAt: string
  expiresAt: string | null
  revokedAt: string | null
  /** May lag behind by a minute. */
  lastUsedAt: string | null
}

/** What `listApiKeys` answers. */
export interface ApiKeyPage {
  /** Newest first. */
  data: ApiKey[]
  hasMore: boolean
  /** Pass it as `cursor`; null at the end. */
  nextCursor: string | null
}

/** What `createApiKey` takes. */
export interface CreateApiKey {
  name: string
  /** All but `keys.write` where absent; never more than the caller has. */
  scopes?: readonly (
    | 'events.write'
    | 'events.read'
    | 'webhooks.read'
    | 'webhooks.write'
    | 'secrets.rotate'
    | 'deliveries.read'
    | 'deliveries.write'
    | 'keys.write'
    | 'audit.read')[] | undefined
  /** Null or absent: never. */
  expiresAt?: string | Date | null | undefined
  /** Gives the key the shape that clients of this system know; `dinie` answers `clientId` and `clientSecret` in place of `key`. Works on every surface all the same. */
  dialect?: 'mobilerun' | 'composio' | 'h-company' | 'devtune' | 'dinie' | undefined
}

/** What `createApiKey` answers. */
export interface CreatedApiKey {
  id: string
  name: string
  scopes: (
    | 'events.write'
    | 'events.read'
    | 'webhooks.read'
    | 'webhooks.write'
    | 'secrets.rotate'
    | 'deliveries.read'
    | 'deliveries.write'
    | 'keys.write'
    | 'audit.read')[]
  /** The system whose shape the key has; null for a native one. */
  dialect: 'mobilerun' | 'composio' | 'h-company' | 'devtune' | 'dinie' | null
  /** Last four characters of the key. */
  hint: string
  createdAt: string
  expiresAt: string | null
  revokedAt: string | null
  /** May lag behind by a minute. */
  lastUsedAt: string | null
  /** The key itself, in this answer only. Absent for `dinie`. */
  key?: string
  /** With `clientSecret`, what a key for `dinie` consists of. */
  clientId?: string
  /** In this answer only. */
  clientSecret?: string
}

/** What `rotateApiKey` takes. */
export interface RotateApiKey {
  /** Seconds for which the present value works beside the new one; 0: it stops now. Default: 86400. */
  expireCurrentIn?: number | undefined
}

/** What `createPortalSession` takes. */
export interface CreatePortalSession {
  /** What the session may do; never more than whoever opens it. */
  scopes: readonly (
    | 'webhooks.read'
    | 'webhooks.write'
    | 'secrets.rotate'
    | 'deliveries.read'
    | 'deliveries.write')[]
  /** Who will be working; stands in the audit log. */
  actor: string
  /** Seconds until it ends. Default: 3600. */
  expiresIn?: number | undefined
}

/** Lets a customer's engineer work in one project for a while. */
export interface PortalSession {
  id: string
  actor: string
  scopes: (
    | 'webhooks.read'
    | 'webhooks.write'
    | 'secrets.rotate'
    | 'deliveries.read'
    | 'deliveries.write')[]
  createdAt: string
  expiresAt: string
  /** Sent as a Bearer key; in this answer only. */
  token: string
}

/** An event type: in the instance's catalogue, or over it in one project. */
export interface EventType {
  name: string
  description: string | null
  /** JSON Schema (2020-12, 2019-09, draft-07 or draft-06 by its `$schema`) that `data` must fit; at most 65536 bytes. Null: any object. */
  schema: Record<string, unknown> | null
  deprecated: boolean
  /** Where this definition stands. */
  definedIn: 'catalog' | 'project'
  createdAt: string
  updatedAt: string
}

/** What `listCatalogEventTypes` answers. */
export interface EventTypePage {
  /** Newest first. */
  data: EventType[]
  hasMore: boolean
  /** Pass it as `cursor`; null at the end. */
  nextCursor: string | null
}

/** The whole definition: what is absent has its default. */
export interface DefineEventType {
  description?: string | null | undefined
  /** JSON Schema (2020-12, 2019-09, draft-07 or draft-06 by its `$schema`) that `data` must fit; at most 65536 bytes. Null: any object. */
  schema?: Record<string, unknown> | null | undefined
  /** Default: false. */
  deprecated?: boolean | undefined
}

/** A URL that receives events of chosen types. `rotation` is the open one, or null. */
export interface Endpoint {
  id: string
  projectId: string
  /** The caller's own identifier. */
  uid: string | null
  url: string
  description: string | null
  /** Exact types, `prefix.*`, or `*` for all. */
  eventTypes: string[]
  state: 'active' | 'disabled'
  health: 'healthy' | 'failing' | 'blocked'
  blockedAt: string | null
  blockedReason: string | null
  signingEnabled: boolean
  /** The receiver was seen to take a delivery with a wrong signature. */
  unverifying: boolean
  format: 
    | 'standard'
    | 'mobilerun'
    | 'composio'
    | 'composio-v2'
    | 'composio-v1'
    | 'h-company'
    | 'devtune'
    | 'dinie'
    | 'stripe'
    | 'github'
  algorithm: 'hmac-sha256' | 'ed25519'
  /** Custom headers by name; every value is shown as `***`. */
  headers: Record<string, string>
  metadata: Record<string, unknown>
  rateLimitPerSecond: number | null
  createdBy: Actor
  createdAt: string
  updatedAt: string
  lastSuccessAt: string | null
  lastFailureAt: string | null
  consecutiveFailures: number
  rotation: Rotation | null
}

/** What `listEndpoints` answers. */
export interface EndpointPage {
  /** Newest first. */
  data: Endpoint[]
  hasMore: boolean
  /** Pass it as `cursor`; null at the end. */
  nextCursor: string | null
}

/** What `createEndpoint` takes. */
export interface CreateEndpoint {
  /** An `https` address without credentials. */
  url: string
  /** An identifier of your own, which paths take in place of the id. Must not look like an id. */
  uid?: string | null | undefined
  description?: string | null | undefined
  /** Exact types, `prefix.*`, or `*` for all. Default: ["*"]. */
  eventTypes?: readonly string[] | undefined
  /** How deliveries look on the wire. `standard`: Standard Webhooks, the default. */
  format?: 
    | 'standard'
    | 'mobilerun'
    | 'composio'
    | 'composio-v2'
    | 'composio-v1'
    | 'h-company'
    | 'devtune'
    | 'dinie'
    | 'stripe'
    | 'github' | undefined
  /** At most 20 headers that every delivery carries. Stored encrypted, never shown again. */
  headers?: Record<string, string> | undefined
  /** At most 4096 bytes as JSON. */
  metadata?: Record<string, unknown> | undefined
  /** Requests that one node sends to the endpoint in any second, at most. */
  rateLimitPerSecond?: number | null | undefined
  /** Default: true. */
  signingEnabled?: boolean | undefined
  /** `active` also unblocks. */
  state?: 'active' | 'disabled' | undefined
  /** `ed25519` needs the format `standard`. Default `hmac-sha256`. */
  algorithm?: 'hmac-sha256' | 'ed25519' | undefined
  /** A secret of your own: `whsec_` and base64 of 24 to 64 bytes, or `whsk_` and that of an Ed25519 private key with its public key behind it. Generated where absent. */
  secret?: string | undefined
}

/** What `createEndpoint` answers. */
export interface CreatedEndpoint {
  id: string
  projectId: string
  /** The caller's own identifier. */
  uid: string | null
  url: string
  description: string | null
  /** Exact types, `prefix.*`, or `*` for all. */
  eventTypes: string[]
  state: 'active' | 'disabled'
  health: 'healthy' | 'failing' | 'blocked'
  blockedAt: string | null
  blockedReason: string | null
  signingEnabled: boolean
  /** The receiver was seen to take a delivery with a wrong signature. */
  unverifying: boolean
  format: 
    | 'standard'
    | 'mobilerun'
    | 'composio'
    | 'composio-v2'
    | 'composio-v1'
    | 'h-company'
    | 'devtune'
    | 'dinie'
    | 'stripe'
    | 'github'
  algorithm: 'hmac-sha256' | 'ed25519'
  /** Custom headers by name; every value is shown as `***`. */
  headers: Record<string, string>
  metadata: Record<string, unknown>
  rateLimitPerSecond: number | null
  createdBy: Actor
  createdAt: string
  updatedAt: string
  lastSuccessAt: string | null
  lastFailureAt: string | null
  consecutiveFailures: number
  rotation: Rotation | null
  /** The signing secret, in this answer only. Absent for `ed25519`. */
  secret?: string
  /** `whpk_…`, in place of `secret` for `ed25519`. */
  publicKey?: string
  /** For `ed25519`: where receivers find the public keys. Without an origin where the server does not know its public address. */
  keySetUrl?: string
  secretId: string
}

/** What is absent stays as it is. Secret and algorithm change by rotate, never here. */
export interface UpdateEndpoint {
  /** An `https` address without credentials. */
  url?: string | undefined
  /** An identifier of your own, which paths take in place of the id. Must not look like an id. */
  uid?: string | null | undefined
  description?: string | null | undefined
  /** Exact types, `prefix.*`, or `*` for all. Default: ["*"]. */
  eventTypes?: readonly string[] | undefined
  /** How deliveries look on the wire. `standard`: Standard Webhooks, the default. */
  format?: 
    | 'standard'
    | 'mobilerun'
    | 'composio'
    | 'composio-v2'
    | 'composio-v1'
    | 'h-company'
    | 'devtune'
    | 'dinie'
    | 'stripe'
    | 'github' | undefined
  /** At most 20 headers that every delivery carries. Stored encrypted, never shown again. */
  headers?: Record<string, string> | undefined
  /** At most 4096 bytes as JSON. */
  metadata?: Record<string, unknown> | undefined
  /** Requests that one node sends to the endpoint in any second, at most. */
  rateLimitPerSecond?: number | null | undefined
  /** Default: true. */
  signingEnabled?: boolean | undefined
  /** `active` also unblocks. */
  state?: 'active' | 'disabled' | undefined
}

/** What `testEndpoint` takes. */
export interface TestEndpoint {
  /** `countersign.test` where absent; reserved types may be used. */
  eventType?: string | undefined
  /** Sent byte for byte. */
  data?: Record<string, unknown> | undefined
}

/** What the receiver answered to a test. */
export interface TestResult {
  deliveryId: string
  success: boolean
  statusCode: number | null
  error: 
    | 'dns'
    | 'refused_address'
    | 'connect'
    | 'tls'
    | 'timeout'
    | 'reset'
    | 'response_too_large'
    | 'redirect'
    | 'http_status'
    | null
  durationMs: number
}

/** What `recoverEndpoint` takes. */
export interface RecoverEndpoint {
  /** Deliveries created at this time or later. */
  since: string | Date
  /** And before this time; now where absent. */
  until?: string | Date | undefined
  statuses?: readonly ('failed' | 'skipped')[] | undefined
}

/** Deliveries that are being sent again, in small steps. */
export interface Recovery {
  endpointId: string
  since: string
  until: string
  statuses: ('failed' | 'skipped')[]
  /** How many there were when it was accepted. */
  deliveryCount: number
}

/** What `getEndpointStats` answers. */
export interface EndpointStats {
  since: string
  until: string
  total: number
  counts: {
    pending: number
    delivered: number
    failed: number
    skipped: number
  }
  /** Delivered out of delivered and failed; null before either. */
  successRate: number | null
  /** Of the last attempt of each delivery. */
  durationMs: {
    p50: number
    p95: number
    p99: number
  } | null
  /** Oldest first; those without deliveries are left out. */
  buckets: {
    at: string
    pending: number
    delivered: number
    failed: number
    skipped: number
  }[]
  /** True where there are more than 100000 deliveries: the newest were looked at. */
  isPartial: boolean
}

/** The numbers of all endpoints of a project together, deleted ones included. */
export interface ProjectStats {
  since: string
  until: string
  total: number
  counts: {
    pending: number
    delivered: number
    failed: number
    skipped: number
  }
  /** Delivered out of delivered and failed; null before either. */
  successRate: number | null
  /** Of the last attempt of each delivery. */
  durationMs: {
    p50: number
    p95: number
    p99: number
  } | null
  /** Oldest first; those without deliveries are left out. */
  buckets: {
    at: string
    pending: number
    delivered: number
    failed: number
    skipped: number
  }[]
  /** True where there are more than 100000 deliveries: the newest were looked at. */
  isPartial: boolean
}

/** One version of an endpoint's signing key, without its value. */
export interface Secret {
  id: string
  algorithm: 'hmac-sha256' | 'ed25519'
  /** Computed from the timestamps at the moment of asking. */
  status: 'staged' | 'current' | 'retiring' | 'expired' | 'revoked'
  createdAt: string
  activatesAt: string
  expiresAt: string | null
  revokedAt: string | null
  /** `whpk_…`; null for HMAC, which has no public half. */
  publicKey: string | null
  /** Last four characters of the secret; of the public key where there is one. */
  hint: string
  /** First 16 hex digits of SHA-256 over the key bytes; over those of the public key where there is one. */
  fingerprint: string
  /** May lag behind by a minute. */
  lastSignedAt: string | null
}

/** What `listSecrets` answers. */
export interface SecretPage {
  /** Newest first. */
  data: Secret[]
  hasMore: boolean
  /** Pass it as `cursor`; null at the end. */
  nextCursor: string | null
}

/** What `rotateSecret` takes. */
export interface RotateSecret {
  /** Seconds the current secret keeps signing beside the new one, counted from activation. 0 cuts now. Default: 86400. */
  expireCurrentIn?: number | undefined
  /** A secret of your own: `whsec_` and base64 of 24 to 64 bytes, or `whsk_` and that of an Ed25519 private key with its public key behind it. */
  secret?: string | undefined
  /** Of the new secret. Default: that of the current one. */
  algorithm?: 'hmac-sha256' | 'ed25519' | undefined
  /** Stage it: made and answered now, signs only from then on; at most 30 days ahead. Default for `ed25519`: in 10 minutes; earlier needs `force`. */
  activateAt?: string | Date | undefined
  /** `expiry`: when the window ends. `verified`: as soon as a drill proves that the receiver takes the new secret, and not before, up to `capAt`; the end of the window then only brings a warning. */
  completeWhen?: 'expiry' | 'verified' | undefined
  /** `claim_link`: the answer holds a link (`claimUrl`) in place of the secret. Whoever opens it and presses the button sees the secret, once; only then the overlap begins. */
  deliver?: 'claim_link' | undefined
  /** Rotate although a rotation is open, or an Ed25519 key before receivers can know it. Default: false. */
  force?: boolean | undefined
  /** Free text, into the audit log. */
  reason?: string | null | undefined
  /** Compare and set: 409 `secret_changed` if another rotation came first. */
  expectedCurrentSecretId?: string | undefined
}

/** What `rotateSecret` answers. */
export interface RotatedSecret {
  endpointId: string
  /** The signing secret, in this answer only. Absent for `ed25519`. */
  secret?: string
  /** `whpk_…`, in place of `secret` for `ed25519`. */
  publicKey?: string
  /** For `ed25519`: where receivers find the public keys. Without an origin where the server does not know its public address. */
  keySetUrl?: string
  secretId: string
  /** With `deliver: claim_link`, in place of the secret: works once; in this answer only. */
  claimUrl?: string
  /** Null where the previous secret was cut. */
  previousSecretExpiresAt: string | null
  rotation: Rotation
}

/** What `revokePreviousSecret` takes. */
export interface RevokePreviousSecret {
  /** Free text, into the audit log. */
  reason?: string | null | undefined
}

/** `rotation` is the one that this completed, or null where none was open. */
export interface RevokedPreviousSecret {
  revokedSecretIds: string[]
  rotation: Rotation | null
}

/** Public keys as a JWK set (RFC 7517, RFC 8037). */
export interface KeySet {
  /** Those that sign and those that will, newest first. */
  keys: {
    kty: 'OKP'
    crv: 'Ed25519'
    alg: 'EdDSA'
    use: 'sig'
    /** Id of the secret, as in `webhook-secret-ids`. */
    kid: string
    /** The public key, in URL-safe base64. */
    x: string
  }[]
}

/** The replacing of one secret by the next. */
export interface Rotation {
  id: string
  endpointId: string
  /** Computed from the timestamps at the moment of asking. */
  status: 'staged' | 'overlapping' | 'held' | 'completed' | 'cancelled'
  completedBy: 'expiry' | 'verified' | 'manual' | 'force' | 'cut' | 'cap' | null
  previousSecretId: string
  newSecretId: string
  activatesAt: string
  /** Null where the previous secret was cut at once. */
  previousSecretExpiresAt: string | null
  /** `expiry`: when the window ends. `verified`: as soon as a drill proves that the receiver takes the new secret, and not before, up to `capAt`; the end of the window then only brings a warning. */
  completeWhen: 'expiry' | 'verified'
  /** When the window was asked to end. The previous secret signs beyond it while the rotation is held, or waits for proof. Null where it was cut, or waits for a claim. */
  windowEndsAt: string | null
  /** The hard end of a rotation that is held, or waits for proof or for a claim. */
  capAt: string | null
  /** Since when the expiry is put off, as the receiver does not take the new secret. */
  heldAt: string | null
  /** Waits for its claim link to be used: the overlap begins then, and until then only `capAt` ends it. */
  unclaimed: boolean
  /** What somebody should look at. `cannot_parse_two`: the receiver takes each secret alone, but not two signatures in one request: cancel, or cut. `not_verified`: the window has passed without proof. `claim_disputed`: whoever was to claim the secret says that somebody else did. */
  attention: 'cannot_parse_two' | 'not_verified' | 'claim_disputed' | null
  /** Secrets that stopped because a forced rotation left no room for them. */
  droppedSecretIds: string[]
  /** The campaign that made it. */
  campaignId: string | null
  reason: string | null
  actor: Actor
  evidence: Evidence | null
  /** Oldest first. */
  timeline: RotationStep[]
  createdAt: string
  closedAt: string | null
}

/** One entry of a timeline; `actor` is null where time alone did it. */
export interface RotationStep {
  at: string
  what: string
  actor: Actor | null
  detail: string | null
}

/** What `listRotations` answers. */
export interface RotationPage {
  /** Newest first. */
  data: Rotation[]
  hasMore: boolean
  /** Pass it as `cursor`; null at the end. */
  nextCursor: string | null
}

/** What is known of the receiver and the new secret. */
export interface Evidence {
  /** The newest drill is proof. */
  verified: boolean
  /** When a drill first gave proof. */
  verifiedAt: string | null
  /** The receiver takes wrong signatures, so nothing that it takes is proof. */
  unverifying: boolean
  drill: Drill | null
  /** Newest first. */
  earlierDrills: EarlierDrill[]
  /** Which secret the receiver says it verified with (`webhook-verified-secret`), over deliveries that carried several. Never proof by itself. */
  receiverReported: ReportedSecret[]
}

/** What a battery of probes showed of a receiver. */
export interface Drill {
  endpointId: string
  at: string
  /** `watch`: the server looked by itself. */
  cause: 'verify' | 'drill' | 'watch'
  /** `verified`: the receiver takes the new secret and refuses a wrong one, shown twice. `unverifying`: it takes a wrong one, so nothing is proved by what it takes. `failed`: it refuses the new secret. `inconclusive`: none of these was shown. */
  verdict: 'verified' | 'unverifying' | 'failed' | 'inconclusive'
  /** Null where that probe was not sent. */
  probes: {
    /** Signed with the new secret alone. */
    newOnly: ProbeFinding | null
    /** The right shape over a wrong key: to be refused. */
    badSignature: ProbeFinding | null
    /** Signed with the previous secret alone. Only told, never counted. */
    oldOnly: ProbeFinding | null
    /** Both signatures in one request, in either order. */
    twoSignatures: ProbeFinding | null
    /** Signed ten minutes ago: to be refused. Only told, never counted. */
    staleTimestamp: ProbeFinding | null
  }
}

/** A part of `Evidence`. */
export interface EarlierDrill {
  at: string
  /** `watch`: the server looked by itself. */
  cause: 'verify' | 'drill' | 'watch'
  /** `verified`: the receiver takes the new secret and refuses a wrong one, shown twice. `unverifying`: it takes a wrong one, so nothing is proved by what it takes. `failed`: it refuses the new secret. `inconclusive`: none of these was shown. */
  verdict: 'verified' | 'unverifying' | 'failed' | 'inconclusive'
}

/** A part of `Drill`. */
export interface ProbeFinding {
  verdict: 'pass' | 'fail' | 'inconclusive'
  /** As the probes were sent. */
  answers: ProbeAnswer[]
}

/** A part of `ProbeFinding`. */
export interface ProbeAnswer {
  at: string
  /** Null where there was no answer. */
  statusCode: number | null
  error: string | null
  durationMs: number
}

/** A part of `Evidence`. */
export interface ReportedSecret {
  secretId: string
  count: number
  /** Of all reports of this rotation; from 0 to 1. */
  share: number
  lastAt: string
}

/** At least one member, and not both `expireCurrentIn` and `previousSecretExpiresAt`. */
export interface UpdateRotation {
  /** Seconds from now, or from activation for a staged rotation. */
  expireCurrentIn?: number | undefined
  previousSecretExpiresAt?: string | Date | undefined
  /** `expiry`: when the window ends. `verified`: as soon as a drill proves that the receiver takes the new secret, and not before, up to `capAt`; the end of the window then only brings a warning. */
  completeWhen?: 'expiry' | 'verified' | undefined
}

/** What `completeRotation` takes. */
export interface EndRotation {
  /** End it although evidence speaks against it. Default: false. */
  force?: boolean | undefined
  /** Free text, into the audit log. */
  reason?: string | null | undefined
}

/** What `claimSecret` takes. */
export interface ClaimSecret {
  /** What stands behind `#` in the claim link. */
  token: string
}

/** What `claimSecret` answers. */
export interface ClaimedSecret {
  /** The new secret, in this answer only. */
  secret: string
  secretId: string
  endpointId: string
  endpointUrl: string
  format: string
  rotationId: string
  activatesAt: string
  /** Until when the secret before works. */
  previousSecretExpiresAt: string | null
}

/** What `disputeClaim` answers. */
export interface DisputedClaim {
  claimedAt: string
  disputedAt: string
}

/** What `reissueClaimLink` answers. */
export interface ReissuedClaimLink {
  /** Works once; in this answer only. */
  claimUrl: string
  rotation: Rotation
}

/** One endpoint, its newest secret, and what keeps it from being done with. */
export interface FleetEntry {
  projectId: string
  projectName: string
  endpointId: string
  endpointUid: string | null
  url: string
  /** The newest secret: the one that is not set to end. */
  secretId: string
  algorithm: 'hmac-sha256' | 'ed25519'
  secretCreatedAt: string
  /** Whole days. */
  secretAgeDays: number
  /** When it is over its age by the policy; null: never. */
  overAgeAt: string | null
  policy: SecretPolicy
  rotation: FleetRotation | null
  blockers: (
    | 'over_age'
    | 'rotation_held'
    | 'rotation_attention'
    | 'rotation_unclaimed'
    | 'unverifying')[]
}

/** The open rotation. */
export interface FleetRotation {
  id: string
  status: 'staged' | 'overlapping' | 'held'
  attention: 'cannot_parse_two' | 'not_verified' | 'claim_disputed' | null
  /** Whether nobody has used its claim link yet. */
  unclaimed: boolean
  previousSecretExpiresAt: string | null
  campaignId: string | null
}

/** What `listFleet` answers. */
export interface FleetPage {
  /** The oldest secret first. */
  data: FleetEntry[]
  hasMore: boolean
  /** Pass it as `cursor`; null at the end. */
  nextCursor: string | null
}

/** The policy in force: of the project over that of the instance. */
export interface SecretPolicy {
  /** Null: any age. */
  maxAgeDays: number | null
  action: 'notify' | 'rotate'
  /** Seconds of overlap of its rotations. */
  expireCurrentIn: number
  completeWhen: 'expiry' | 'verified'
}

/** The rotation of many endpoints, over projects, at a chosen pace. */
export interface Campaign {
  id: string
  /** `completed`: every endpoint is rotated or skipped. What became of the rotations, `rotations` says. */
  status: 'running' | 'paused' | 'completed' | 'cancelled'
  filter: CampaignFilter
  /** Endpoints a minute. A campaign that fell behind catches up by one second at most. */
  perMinute: number
  /** How new shared secrets are handed over; public keys need no hand. Without it, endpoints with a shared secret are skipped. */
  deliver: 'claim_link' | null
  /** Stage every rotation until then, at most 30 days ahead and after the last one at this pace. Public keys wait 10 minutes anyway. */
  activateAt: string | null
  /** Seconds of overlap, as in a rotation. A campaign never cuts. */
  expireCurrentIn: number | null
  completeWhen: 'expiry' | 'verified'
  /** Free text, into the audit log of each endpoint. */
  reason: string | null
  actor: Actor
  /** How many endpoints are in which state. `blocked`: a rotation is open, so it is tried again every 10 minutes. `skipped`: refused for good. */
  endpoints: {
    total: number
    pending: number
    rotated: number
    blocked: number
    skipped: number
  }
  /** What became of the rotations it made; the last three are open too. */
  rotations: {
    open: number
    completed: number
    cancelled: number
    held: number
    attention: number
    unclaimed: number
  }
  createdAt: string
  updatedAt: string
  closedAt: string | null
}

/** Endpoints for which every member that is there holds; empty: all. */
export interface CampaignFilter {
  /** Endpoints of these projects. */
  projectIds?: readonly string[] | undefined
  /** These endpoints. */
  endpointIds?: readonly string[] | undefined
  algorithm?: 'hmac-sha256' | 'ed25519' | undefined
  olderThanDays?: number | undefined
  /** Over the age of their policy. */
  overAge?: true | undefined
}

/** What `listCampaigns` answers. */
export interface CampaignPage {
  /** Newest first. */
  data: Campaign[]
  hasMore: boolean
  /** Pass it as `cursor`; null at the end. */
  nextCursor: string | null
}

/** What `createCampaign` takes. */
export interface CreateCampaign {
  filter?: CampaignFilter | undefined
  /** Endpoints a minute. A campaign that fell behind catches up by one second at most. */
  perMinute: number
  /** How new shared secrets are handed over; public keys need no hand. Without it, endpoints with a shared secret are skipped. */
  deliver?: 'claim_link' | undefined
  /** Stage every rotation until then, at most 30 days ahead and after the last one at this pace. Public keys wait 10 minutes anyway. */
  activateAt?: string | Date | undefined
  /** Seconds of overlap, as in a rotation. A campaign never cuts. */
  expireCurrentIn?: number | undefined
  completeWhen?: 'expiry' | 'verified' | undefined
  /** Free text, into the audit log of each endpoint. */
  reason?: string | null | undefined
}

/** A part of `CampaignEndpointPage`. */
export interface CampaignEndpoint {
  projectId: string
  endpointId: string
  state: 'pending' | 'rotated' | 'blocked' | 'skipped'
  rotationId: string | null
  /** Why it was not rotated. */
  refusal: {
    code: string
    detail: string
  } | null
  nextTryAt: string | null
  updatedAt: string
}

/** What `listCampaignEndpoints` answers. */
export interface CampaignEndpointPage {
  /** The newest secret first. */
  data: CampaignEndpoint[]
  hasMore: boolean
  /** Pass it as `cursor`; null at the end. */
  nextCursor: string | null
}

/** What `getEvent` answers. */
export interface Event {
  id: string
  type: string
  timestamp: string
  metadata: Record<string, unknown>
  createdAt: string
  deliveryCount: number
  /** Null once it has been expunged. */
  data: Record<string, unknown> | null
}

/** An event as lists show it: without its `data`. */
export interface EventSummary {
  id: string
  type: string
  timestamp: string
  metadata: Record<string, unknown>
  createdAt: string
  deliveryCount: number
}

/** What `listEvents` answers. */
export interface EventPage {
  /** Newest first. */
  data: EventSummary[]
  hasMore: boolean
  /** Pass it as `cursor`; null at the end. */
  nextCursor: string | null
}

/** What `publishEvent` takes. */
export interface PublishEvent {
  /** Dot-separated words of letters, digits, `_` and `-`. `endpoint.` and `countersign.` are reserved. */
  type: string
  /** Delivered byte for byte as sent. */
  data: Record<string, unknown>
  /** An id of your own. The same id with the same type and data again is answered with the first event (200). */
  id?: string | undefined
  /** When it happened; the time of acceptance where absent. */
  timestamp?: string | Date | undefined
  /** Kept with the event, not delivered; at most 4096 bytes as JSON. */
  metadata?: Record<string, unknown> | undefined
}

/** The event and all its deliveries are durable. */
export interface PublishedEvent {
  id: string
  type: string
  createdAt: string
  /** Deliveries created, skipped ones included. */
  deliveryCount: number
}

/** What `publishBatch` takes. */
export interface PublishBatch {
  events: readonly PublishEvent[]
}

/** What `publishBatch` answers. */
export interface PublishedBatch {
  /** In the order of the batch. */
  data: BatchResult[]
}

/** What became of one event of a batch. */
export interface BatchResult {
  /** Position in the batch. */
  index: number
  /** What the single call would have answered. */
  status: number
  id?: string
  deliveryCount?: number
  error?: BatchError
}

/** Why one event of a batch was refused; `param` begins with `events.<index>`. */
export interface BatchError {
  /** Machine-readable; every code is explained at `/docs/errors`. */
  code: 
    | 'invalid_json'
    | 'invalid_request'
    | 'unauthorized'
    | 'forbidden'
    | 'not_found'
    | 'method_not_allowed'
    | 'request_timeout'
    | 'uid_taken'
    | 'event_id_conflict'
    | 'rotation_in_progress'
    | 'rotation_not_active'
    | 'rotation_closed'
    | 'receiver_not_verified'
    | 'receiver_uses_new'
    | 'claim_used'
    | 'claim_not_used'
    | 'campaign_closed'
    | 'secret_changed'
    | 'endpoint_disabled'
    | 'endpoint_deleted'
    | 'event_expunged'
    | 'endpoint_limit_reached'
    | 'api_key_not_live'
    | 'idempotency_in_flight'
    | 'payload_too_large'
    | 'unsupported_media_type'
    | 'expectation_failed'
    | 'validation_failed'
    | 'secret_reused'
    | 'format_carries_one_signature'
    | 'idempotency_key_reused'
    | 'rate_limit_exceeded'
    | 'headers_too_large'
    | 'public_url_missing'
    | 'not_verifiable'
    | 'internal_error'
    | 'storage_unavailable'
    | 'overloaded'
  /** One sentence for the code. */
  title: string
  /** What happened this time. */
  detail: string
  /** The field at fault, or the first of them. */
  param?: string
  /** Every field at fault, at once. */
  errors?: FieldError[]
  [name: string]: unknown
}

/** One event on its way to one endpoint. */
export interface Delivery {
  id: string
  endpointId: string
  eventId: string
  eventType: string
  status: 'pending' | 'delivered' | 'failed' | 'skipped'
  failureReason: 'exhausted' | 'gone' | 'endpoint_deleted' | 'refused' | null
  attemptCount: number
  nextAttemptAt: string | null
  lastStatusCode: number | null
  lastError: 
    | 'dns'
    | 'refused_address'
    | 'connect'
    | 'tls'
    | 'timeout'
    | 'reset'
    | 'response_too_large'
    | 'redirect'
    | 'http_status'
    | null
  isTest: boolean
  createdAt: string
  completedAt: string | null
}

/** What `getDelivery` answers. */
export interface DeliveryWithAttempts {
  id: string
  endpointId: string
  eventId: string
  eventType: string
  status: 'pending' | 'delivered' | 'failed' | 'skipped'
  failureReason: 'exhausted' | 'gone' | 'endpoint_deleted' | 'refused' | null
  attemptCount: number
  nextAttemptAt: string | null
  lastStatusCode: number | null
  lastError: 
    | 'dns'
    | 'refused_address'
    | 'connect'
    | 'tls'
    | 'timeout'
    | 'reset'
    | 'response_too_large'
    | 'redirect'
    | 'http_status'
    | null
  isTest: boolean
  createdAt: string
  completedAt: string | null
  /** Oldest first. */
  attempts: Attempt[]
}

/** What `listDeliveries` answers. */
export interface DeliveryPage {
  /** Newest first. */
  data: Delivery[]
  hasMore: boolean
  /** Pass it as `cursor`; null at the end. */
  nextCursor: string | null
}

/** One HTTP request of a delivery. */
export interface Attempt {
  id: string
  number: number
  startedAt: string
  durationMs: number
  /** As sent; custom header values are masked, signatures are kept. */
  request: {
    method: string
    url: string
    headers: Record<string, string>
  }
  /** The secrets that signed, in the order of the signatures. */
  secretIds: string[]
  response: AttemptResponse | null
  error: 
    | 'dns'
    | 'refused_address'
    | 'connect'
    | 'tls'
    | 'timeout'
    | 'reset'
    | 'response_too_large'
    | 'redirect'
    | 'http_status'
    | null
  /** What lies behind `error`. */
  errorDetail: string | null
}

/** What the receiver answered to an attempt. */
export interface AttemptResponse {
  statusCode: number
  headers: Record<string, string>
  /** The first 16 KiB, as text. */
  body: string
  bodyTruncated: boolean
}

/** Who changed what, when, why, from where. Append-only. */
export interface AuditRow {
  id: string
  at: string
  /** Such as `endpoint.secret.rotated`. */
  action: string
  actor: Actor
  target: {
    type: string
    id: string
  }
  reason: string | null
  requestId: string | null
  sourceAddress: string | null
  details: Record<string, unknown>
}

/** What `listAuditRows` answers. */
export interface AuditRowPage {
  /** Newest first. */
  data: AuditRow[]
  hasMore: boolean
  /** Pass it as `cursor`; null at the end. */
  nextCursor: string | null
}

/** Who did something. */
export interface Actor {
  type: 'root' | 'key' | 'portal' | 'system'
  id: string | null
  name: string | null
}

/** A problem document (RFC 9457). Some codes add members, such as `rotationId` to `rotation_in_progress`. */
export interface Problem {
  /** Address of the page section that explains the code. */
  type: string
  status: number
  /** The request id, as in `X-Request-Id`. */
  instance: string
  /** Machine-readable; every code is explained at `/docs/errors`. */
  code: 
    | 'invalid_json'
    | 'invalid_request'
    | 'unauthorized'
    | 'forbidden'
    | 'not_found'
    | 'method_not_allowed'
    | 'request_timeout'
    | 'uid_taken'
    | 'event_id_conflict'
    | 'rotation_in_progress'
    | 'rotation_not_active'
    | 'rotation_closed'
    | 'receiver_not_verified'
    | 'receiver_uses_new'
    | 'claim_used'
    | 'claim_not_used'
    | 'campaign_closed'
    | 'secret_changed'
    | 'endpoint_disabled'
    | 'endpoint_deleted'
    | 'event_expunged'
    | 'endpoint_limit_reached'
    | 'api_key_not_live'
    | 'idempotency_in_flight'
    | 'payload_too_large'
    | 'unsupported_media_type'
    | 'expectation_failed'
    | 'validation_failed'
    | 'secret_reused'
    | 'format_carries_one_signature'
    | 'idempotency_key_reused'
    | 'rate_limit_exceeded'
    | 'headers_too_large'
    | 'public_url_missing'
    | 'not_verifiable'
    | 'internal_error'
    | 'storage_unavailable'
    | 'overloaded'
  /** One sentence for the code. */
  title: string
  /** What happened this time. */
  detail: string
  /** The field at fault, or the first of them. */
  param?: string
  /** Every field at fault, at once. */
  errors?: FieldError[]
  [name: string]: unknown
}

/** One field at fault. */
export interface FieldError {
  /** Path of the field, such as `event_types.2`. */
  param: string
  /** What would be right. */
  detail: string
  /** Machine-readable, such as `missing` or `unknown_field`. */
  code: string
}

/** What `checkHealth` answers. */
export interface Status {
  status: 'ok'
}

/** What `retryDelivery` takes. */
export type Nothing = Record<string, never>

/** What `listProjects` is asked with. */
export interface ListProjectsQuery {
  /** How many items at most. Default: 25. */
  limit?: number | undefined
  /** `nextCursor` of an earlier page. */
  cursor?: string | undefined
}

/** What `getProjectStats` is asked with. */
export interface GetProjectStatsQuery {
  /** Default: a day ago. */
  since?: string | Date | undefined
  /** Length of a bucket, such as `5m`, `1h` or `1d`; absent: none. */
  bucket?: string | undefined
}

/** What `listApiKeys` is asked with. */
export interface ListApiKeysQuery {
  /** How many items at most. Default: 25. */
  limit?: number | undefined
  /** `nextCursor` of an earlier page. */
  cursor?: string | undefined
}

/** What `listCatalogEventTypes` is asked with. */
export interface ListCatalogEventTypesQuery {
  /** How many items at most. Default: 25. */
  limit?: number | undefined
  /** `nextCursor` of an earlier page. */
  cursor?: string | undefined
}

/** What `listEventTypes` is asked with. */
export interface ListEventTypesQuery {
  /** How many items at most. Default: 25. */
  limit?: number | undefined
  /** `nextCursor` of an earlier page. */
  cursor?: string | undefined
}

/** What `listEndpoints` is asked with. */
export interface ListEndpointsQuery {
  /** How many items at most. Default: 25. */
  limit?: number | undefined
  /** `nextCursor` of an earlier page. */
  cursor?: string | undefined
  state?: 'active' | 'disabled' | undefined
  health?: 'healthy' | 'failing' | 'blocked' | undefined
  /** Those whose secret is being rotated. */
  rotation?: 'open' | undefined
  /** Part of url, description or uid, in any case. */
  search?: string | undefined
}

/** What `getEndpointStats` is asked with. */
export interface GetEndpointStatsQuery {
  /** Default: a day ago. */
  since?: string | Date | undefined
  /** Length of a bucket, such as `5m`, `1h` or `1d`; absent: none. */
  bucket?: string | undefined
}

/** What `listSecrets` is asked with. */
export interface ListSecretsQuery {
  /** How many items at most. Default: 25. */
  limit?: number | undefined
  /** `nextCursor` of an earlier page. */
  cursor?: string | undefined
}

/** What `listRotations` is asked with. */
export interface ListRotationsQuery {
  /** How many items at most. Default: 25. */
  limit?: number | undefined
  /** `nextCursor` of an earlier page. */
  cursor?: string | undefined
}

/** What `listFleet` is asked with. */
export interface ListFleetQuery {
  /** How many items at most. Default: 25. */
  limit?: number | undefined
  /** `nextCursor` of an earlier page. */
  cursor?: string | undefined
  /** Id or uid of a project. */
  project?: string | undefined
  algorithm?: 'hmac-sha256' | 'ed25519' | undefined
  olderThanDays?: number | undefined
  /** What keeps an endpoint from being done with. `rotation_unclaimed`: nobody has used the claim link. `unverifying`: the receiver took a wrong signature. */
  blocker?: 
    | 'over_age'
    | 'rotation_held'
    | 'rotation_attention'
    | 'rotation_unclaimed'
    | 'unverifying' | undefined
}

/** What `listCampaigns` is asked with. */
export interface ListCampaignsQuery {
  /** How many items at most. Default: 25. */
  limit?: number | undefined
  /** `nextCursor` of an earlier page. */
  cursor?: string | undefined
}

/** What `listCampaignEndpoints` is asked with. */
export interface ListCampaignEndpointsQuery {
  /** How many items at most. Default: 25. */
  limit?: number | undefined
  /** `nextCursor` of an earlier page. */
  cursor?: string | undefined
  state?: 'pending' | 'rotated' | 'blocked' | 'skipped' | undefined
}

/** What `listEvents` is asked with. */
export interface ListEventsQuery {
  /** How many items at most. Default: 25. */
  limit?: number | undefined
  /** `nextCursor` of an earlier page. */
  cursor?: string | undefined
}

/** What `listDeliveries` is asked with. */
export interface ListDeliveriesQuery {
  /** How many items at most. Default: 25. */
  limit?: number | undefined
  /** `nextCursor` of an earlier page. */
  cursor?: string | undefined
  /** Id or uid of an endpoint. */
  endpoint?: string | undefined
  /** Id of an event. */
  event?: string | undefined
  eventType?: string | undefined
  status?: 'pending' | 'delivered' | 'failed' | 'skipped' | undefined
  /** Created at this time or later. */
  since?: string | Date | undefined
  /** Created before this time. */
  until?: string | Date | undefined
}

/** What `readStream` is asked with. */
export interface ReadStreamQuery {
  only?: 'events' | 'deliveries' | undefined
}

/** What `listAuditRows` is asked with. */
export interface ListAuditRowsQuery {
  /** How many items at most. Default: 25. */
  limit?: number | undefined
  /** `nextCursor` of an earlier page. */
  cursor?: string | undefined
  /** Id of the actor. */
  actor?: string | undefined
  /** Such as `endpoint.secret.rotated`. */
  action?: string | undefined
  /** At this time or later. */
  since?: string | Date | undefined
}

/** What each operation answers where it succeeds. */
export interface Answers {
  createProject: Project
  listProjects: ProjectPage
  getProject: Project
  updateProject: Project
  deleteProject: void
  getProjectStats: ProjectStats
  createApiKey: CreatedApiKey
  listApiKeys: ApiKeyPage
  rotateApiKey: CreatedApiKey
  revokeApiKey: void
  createPortalSession: PortalSession
  revokePortalSession: void
  defineCatalogEventType: EventType
  getCatalogEventType: EventType
  deleteCatalogEventType: void
  listCatalogEventTypes: EventTypePage
  defineEventType: EventType
  getEventType: EventType
  deleteEventType: void
  listEventTypes: EventTypePage
  createEndpoint: CreatedEndpoint
  listEndpoints: EndpointPage
  getEndpoint: Endpoint
  updateEndpoint: Endpoint
  deleteEndpoint: void
  testEndpoint: TestResult
  recoverEndpoint: Recovery
  getEndpointStats: EndpointStats
  rotateSecret: RotatedSecret
  revokePreviousSecret: RevokedPreviousSecret
  listSecrets: SecretPage
  readKeySet: KeySet
  listRotations: RotationPage
  getRotation: Rotation
  updateRotation: Rotation
  verifyRotation: Rotation
  completeRotation: Rotation
  cancelRotation: Rotation
  drillEndpoint: Drill
  claimSecret: ClaimedSecret
  disputeClaim: DisputedClaim
  reissueClaimLink: ReissuedClaimLink
  listFleet: FleetPage
  createCampaign: Campaign
  listCampaigns: CampaignPage
  getCampaign: Campaign
  listCampaignEndpoints: CampaignEndpointPage
  pauseCampaign: Campaign
  resumeCampaign: Campaign
  cancelCampaign: Campaign
  publishEvent: PublishedEvent
  listEvents: EventPage
  publishBatch: PublishedBatch
  expungeEvent: void
  getEvent: Event
  listDeliveries: DeliveryPage
  getDelivery: DeliveryWithAttempts
  retryDelivery: Delivery
  readStream: string
  listAuditRows: AuditRowPage
  checkHealth: Status
  checkReadiness: Status
  readMetrics: string
  readOpenApi: unknown
}
