import type { Static } from 'typebox'
import type { CreatedApiKeySchema } from '../../src/api/wire/api-key.ts'
import type { AuditRowSchema } from '../../src/api/wire/audit-row.ts'
import type { DeliverySchema } from '../../src/api/wire/delivery.ts'
import type { CreatedEndpointSchema, EndpointSchema } from '../../src/api/wire/endpoint.ts'
import type {
  EventSchema,
  EventSummarySchema,
  PublishedBatchSchema,
  PublishedEventSchema,
} from '../../src/api/wire/event.ts'
import type { FieldErrorSchema } from '../../src/api/wire/problem.ts'
import type { ProjectSchema } from '../../src/api/wire/project.ts'
import type { RotatedSecretSchema, RotationSchema } from '../../src/api/wire/rotation.ts'
import type { SecretSchema } from '../../src/api/wire/secret.ts'

/* What the native API answers, in snake_case. */

export type AuditRow = Static<typeof AuditRowSchema>
/** Of any shape but that of `dinie`. */
export type CreatedApiKey = Static<typeof CreatedApiKeySchema> & { key: string }
/** Of an endpoint that signs with HMAC. */
export type CreatedEndpoint = Static<typeof CreatedEndpointSchema> & { secret: string }
export type Delivery = Static<typeof DeliverySchema>
export type DeliveryStatus = Delivery['status']
export type Endpoint = Static<typeof EndpointSchema>
export type Event = Static<typeof EventSchema>
export type EventSummary = Static<typeof EventSummarySchema>
export type FieldError = Static<typeof FieldErrorSchema>
export type Project = Static<typeof ProjectSchema>
export type PublishedBatch = Static<typeof PublishedBatchSchema>
export type PublishedEvent = Static<typeof PublishedEventSchema>
/** Of a secret for HMAC that is answered, not claimed. */
export type RotatedSecret = Static<typeof RotatedSecretSchema> & { secret: string }
export type Rotation = Static<typeof RotationSchema>
export type RotationStatus = Rotation['status']
export type Secret = Static<typeof SecretSchema>
