import type * as Api from './api-types.ts'
import type { RawJson } from './raw-json.ts'

/*
 * What the client takes and answers. Times in answers are RFC 3339 text; where they are sent, a
 * `Date` does as well. What is hand-written here says more than the document of the API can.
 */

export type {
  Actor,
  ApiKey,
  Attempt,
  AttemptResponse,
  AuditRow,
  BatchError,
  BatchResult,
  Campaign,
  CampaignEndpoint,
  CampaignFilter,
  ClaimedSecret,
  CreateCampaign,
  CreatePortalSession,
  CreateProject,
  DefineEventType,
  Delivery,
  DeliveryWithAttempts,
  DisputedClaim,
  Drill,
  EarlierDrill,
  Endpoint,
  EndpointStats,
  EndRotation,
  Event,
  EventSummary,
  EventType,
  Evidence,
  FieldError,
  FleetEntry,
  FleetRotation,
  GetEndpointStatsQuery,
  GetProjectStatsQuery,
  KeySet,
  ListAuditRowsQuery as ListAuditLogQuery,
  ListCampaignEndpointsQuery,
  ListDeliveriesQuery,
  ListEndpointsQuery,
  ListFleetQuery,
  ListProjectsQuery as ListQuery,
  PortalSession,
  ProbeAnswer,
  ProbeFinding,
  Project,
  ProjectSettings,
  ProjectStats,
  PublishedEvent,
  RecoverEndpoint,
  Recovery,
  ReissuedClaimLink,
  ReportedSecret,
  RevokedPreviousSecret,
  RevokePreviousSecret,
  RotateApiKey,
  Rotation,
  RotationStep,
  Secret,
  SecretPolicy,
  Status,
  TestEndpoint,
  TestResult,
  UpdateEndpoint,
  UpdateProject,
  UpdateRotation,
} from './api-types.ts'

/** What an API key may do. */
export type Scope = Api.ApiKey['scopes'][number]
/** A system whose clients the server answers in their own shapes. */
export type Dialect = NonNullable<Api.ApiKey['dialect']>

/** A key to create, of any shape but that of `dinie`. */
export interface CreateApiKey extends Omit<Api.CreateApiKey, 'dialect'> {
  /** Gives the key the shape that clients of this system know; absent: a native one. */
  dialect?: Exclude<Dialect, 'dinie'> | undefined
}
/** A new key, with its value. */
export interface CreatedApiKey extends Api.ApiKey {
  /** The key itself, in this answer only. */
  key: string
}
/** A key to create that consists of a client id and a client secret. */
export interface CreateClientCredentials extends Omit<Api.CreateApiKey, 'dialect'> {
  dialect: 'dinie'
}
/** A new key that consists of a client id and a client secret, with both. */
export interface CreatedClientCredentials extends Api.ApiKey {
  clientId: string
  /** In this answer only. */
  clientSecret: string
}

/** An endpoint to create that signs with a secret. */
export interface CreateEndpoint extends Omit<Api.CreateEndpoint, 'algorithm'> {
  algorithm?: 'hmac-sha256' | undefined
}
/** A new endpoint, with its secret. */
export interface CreatedEndpoint extends Omit<Api.CreatedEndpoint, AnswerOfKind> {
  /** The signing secret, in this answer only. */
  secret: string
}
/** An endpoint to create that signs with a private key, which never leaves the server. */
export interface CreateKeyEndpoint extends Omit<Api.CreateEndpoint, 'algorithm'> {
  algorithm: 'ed25519'
}
/** A new endpoint, with its public key. */
export interface CreatedKeyEndpoint extends Omit<Api.CreatedEndpoint, AnswerOfKind> {
  /** `whpk_…` */
  publicKey: string
  /** Where receivers find the public keys. */
  keySetUrl: string
}

/** What the answer has depends on what was asked for. */
type AnswerOfKind = 'secret' | 'publicKey' | 'keySetUrl' | 'claimUrl'

export type EndpointState = Api.Endpoint['state']
export type EndpointHealth = Api.Endpoint['health']

/** A rotation whose new secret is answered. */
export interface RotateSecret extends Omit<Api.RotateSecret, 'algorithm' | 'deliver'> {
  algorithm?: 'hmac-sha256' | undefined
}
/** A rotation that began, with the new secret. */
export interface RotatedSecret extends Omit<Api.RotatedSecret, AnswerOfKind> {
  /** The new secret, in this answer only. */
  secret: string
}
/** A rotation to a new private key, which never leaves the server. */
export interface RotateKey extends Omit<Api.RotateSecret, 'algorithm' | 'deliver'> {
  algorithm: 'ed25519'
}
/** A rotation that began, with the new public key. */
export interface RotatedKey extends Omit<Api.RotatedSecret, AnswerOfKind> {
  /** `whpk_…` */
  publicKey: string
  /** Where receivers find the public keys. */
  keySetUrl: string
}
/** A rotation whose new secret is handed over by a link. */
export interface RotateByClaimLink extends Omit<Api.RotateSecret, 'algorithm' | 'deliver'> {
  algorithm?: 'hmac-sha256' | undefined
  deliver: 'claim_link'
}
/** A rotation that began, with the link to its new secret. */
export interface RotatedByClaimLink extends Omit<Api.RotatedSecret, AnswerOfKind> {
  /** Works once; in this answer only. */
  claimUrl: string
}

export type SecretAlgorithm = Api.Secret['algorithm']
export type SecretStatus = Api.Secret['status']
export type RotationStatus = Api.Rotation['status']
export type CompletedBy = NonNullable<Api.Rotation['completedBy']>
export type CompleteWhen = Api.Rotation['completeWhen']

/** An event to publish. */
export interface PublishEvent extends Omit<Api.PublishEvent, 'data'> {
  /** A JSON object, or its text in `rawJson`. Delivered byte for byte as sent. */
  data: object | RawJson
}

export type DeliveryStatus = Api.Delivery['status']
export type FailureReason = NonNullable<Api.Delivery['failureReason']>
export type AttemptError = NonNullable<Api.Attempt['error']>
