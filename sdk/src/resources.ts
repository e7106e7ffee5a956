import type { CamelCased, CamelCasedInput } from './camel-case.ts'
import type { RawJson } from './raw-json.ts'
import type * as Wire from './wire-types.ts'

/*
 * What the client takes and answers: the wire types in camelCase. Times in answers are RFC 3339
 * text; where they are sent, a `Date` does as well. What a field means is in `wire-types.ts`.
 */

/** Who did something. */
export type Actor = CamelCased<Wire.Actor>
/** One field at fault: where, what would be right, and a code. */
export type FieldError = CamelCased<Wire.FieldError>

/** A tenant: owns endpoints, events and API keys. */
export type Project = CamelCased<Wire.Project>
/** What a project may set over the instance's defaults. */
export type ProjectSettings = CamelCased<Wire.ProjectSettings>
export type CreateProject = CamelCasedInput<Wire.CreateProject>
export type UpdateProject = CamelCasedInput<Wire.UpdateProject>

/** What an API key may do. */
export type Scope = Wire.Scope
/** A system whose clients the server answers in their own shapes. */
export type Dialect = Wire.Dialect
/** A project's key, without its value. */
export type ApiKey = CamelCased<Wire.ApiKey>
export type CreateApiKey = CamelCasedInput<Wire.CreateApiKey>
/** A new key, with its value. */
export type CreatedApiKey = CamelCased<Wire.CreatedApiKey>
export type CreateClientCredentials = CamelCasedInput<Wire.CreateClientCredentials>
/** A new key that consists of a client id and a client secret, with both. */
export type CreatedClientCredentials = CamelCased<Wire.CreatedClientCredentials>

export type EndpointState = Wire.EndpointState
export type EndpointHealth = Wire.EndpointHealth
/** A URL that receives events of chosen types. */
export type Endpoint = CamelCased<Wire.Endpoint>
export type CreateEndpoint = CamelCasedInput<Wire.CreateEndpoint>
/** A new endpoint, with its secret. */
export type CreatedEndpoint = CamelCased<Wire.CreatedEndpoint>
export type UpdateEndpoint = CamelCasedInput<Wire.UpdateEndpoint>
export type ListEndpointsQuery = CamelCasedInput<Wire.ListEndpointsQuery>
export type TestEndpoint = CamelCasedInput<Wire.TestEndpoint>
/** What the receiver answered to a test. */
export type TestResult = CamelCased<Wire.TestResult>

export type SecretAlgorithm = Wire.SecretAlgorithm
export type SecretStatus = Wire.SecretStatus
/** One version of an endpoint's signing key, without its value. */
export type Secret = CamelCased<Wire.Secret>
export type RotationStatus = Wire.RotationStatus
export type CompletedBy = Wire.CompletedBy
export type CompleteWhen = Wire.CompleteWhen
/** The replacing of one secret by the next. */
export type Rotation = CamelCased<Wire.Rotation>
export type Evidence = CamelCased<Wire.Evidence>
export type Drill = CamelCased<Wire.Drill>
/** One entry of a rotation's timeline. */
export type RotationStep = CamelCased<Wire.RotationStep>
export type RotateSecret = CamelCasedInput<Wire.RotateSecret>
/** A rotation that began, with the new secret. */
export type RotatedSecret = CamelCased<Wire.RotatedSecret>
export type RevokePreviousSecret = CamelCasedInput<Wire.RevokePreviousSecret>
export type RevokedPreviousSecret = CamelCased<Wire.RevokedPreviousSecret>
export type UpdateRotation = CamelCasedInput<Wire.UpdateRotation>
export type EndRotation = CamelCasedInput<Wire.EndRotation>

/** An event to publish. `data` is a JSON object, or its text in `rawJson`. */
export type PublishEvent = Omit<CamelCasedInput<Wire.PublishEvent>, 'data'> & {
  data: object | RawJson
}
/** An event that was accepted: it and all its deliveries are durable. */
export type PublishedEvent = CamelCased<Wire.PublishedEvent>
/** What became of one event of a batch; `status` is what the single call would have answered. */
export type BatchResult = CamelCased<Wire.BatchResult>
/** Why one event of a batch was refused. */
export type BatchError = CamelCased<Wire.BatchError>
/** An event as lists show it, without its `data`. */
export type EventSummary = CamelCased<Wire.EventSummary>
/** One thing that happened, published to a project. */
export type Event = CamelCased<Wire.Event>

export type DeliveryStatus = Wire.DeliveryStatus
export type FailureReason = Wire.FailureReason
export type AttemptError = Wire.AttemptError
/** One event on its way to one endpoint. */
export type Delivery = CamelCased<Wire.Delivery>
export type DeliveryWithAttempts = CamelCased<Wire.DeliveryWithAttempts>
/** One HTTP request made for a delivery. */
export type Attempt = CamelCased<Wire.Attempt>
export type AttemptResponse = CamelCased<Wire.AttemptResponse>
export type ListDeliveriesQuery = CamelCasedInput<Wire.ListDeliveriesQuery>

/** Who changed what, when, why, from where. */
export type AuditRow = CamelCased<Wire.AuditRow>
export type ListAuditLogQuery = CamelCasedInput<Wire.ListAuditLogQuery>

/** What every list takes. */
export type ListQuery = CamelCasedInput<Wire.ListQuery>
