import type { TSchema } from 'typebox'
import { emptyBody } from './request-body.ts'
import { ApiKeyPageSchema } from './routes/api-keys.ts'
import { AuditRowPageSchema } from './routes/audit-log.ts'
import { CampaignEndpointPageSchema, CampaignPageSchema } from './routes/campaigns.ts'
import { DeliveryPageSchema } from './routes/deliveries.ts'
import { EndpointPageSchema } from './routes/endpoints.ts'
import { EventTypePageSchema } from './routes/event-types.ts'
import { EventPageSchema } from './routes/events.ts'
import { FleetPageSchema } from './routes/fleet.ts'
import { ProjectPageSchema } from './routes/projects.ts'
import { RotationPageSchema } from './routes/rotations.ts'
import { SecretPageSchema } from './routes/secrets.ts'
import { StatusSchema } from './routes/server.ts'
import { ActorSchema } from './wire/actor.ts'
import {
  ApiKeySchema,
  CreateApiKeySchema,
  CreatedApiKeySchema,
  RotateApiKeySchema,
} from './wire/api-key.ts'
import { AuditRowSchema } from './wire/audit-row.ts'
import {
  CampaignEndpointSchema,
  CampaignFilterSchema,
  CampaignSchema,
  CreateCampaignSchema,
} from './wire/campaign.ts'
import {
  ClaimedSecretSchema,
  ClaimSecretSchema,
  DisputedClaimSchema,
  ReissuedClaimLinkSchema,
} from './wire/claim-link.ts'
import {
  AttemptResponseSchema,
  AttemptSchema,
  DeliverySchema,
  DeliveryWithAttemptsSchema,
  TestEndpointSchema,
  TestResultSchema,
} from './wire/delivery.ts'
import {
  CreatedEndpointSchema,
  CreateEndpointSchema,
  EndpointSchema,
  UpdateEndpointSchema,
} from './wire/endpoint.ts'
import {
  BatchErrorSchema,
  BatchResultSchema,
  EventSchema,
  EventSummarySchema,
  PublishBatchSchema,
  PublishEventSchema,
  PublishedBatchSchema,
  PublishedEventSchema,
} from './wire/event.ts'
import { DefineEventTypeSchema, EventTypeSchema } from './wire/event-type.ts'
import {
  DrillSchema,
  EarlierDrillSchema,
  EvidenceSchema,
  ProbeAnswerSchema,
  ProbeFindingSchema,
  ReportedSecretSchema,
} from './wire/evidence.ts'
import { nameOf } from './wire/fields.ts'
import { FleetEntrySchema, FleetRotationSchema, SecretPolicySchema } from './wire/fleet.ts'
import { KeySetSchema } from './wire/key-set.ts'
import { CreatePortalSessionSchema, PortalSessionSchema } from './wire/portal-session.ts'
import { FieldErrorSchema, ProblemSchema } from './wire/problem.ts'
import {
  CreateProjectSchema,
  ProjectSchema,
  ProjectSettingsSchema,
  UpdateProjectSchema,
} from './wire/project.ts'
import {
  EndRotationSchema,
  RevokedPreviousSecretSchema,
  RevokePreviousSecretSchema,
  RotatedSecretSchema,
  RotateSecretSchema,
  RotationSchema,
  RotationStepSchema,
  UpdateRotationSchema,
} from './wire/rotation.ts'
import { SecretSchema } from './wire/secret.ts'
import {
  EndpointStatsSchema,
  ProjectStatsSchema,
  RecoverEndpointSchema,
  RecoverySchema,
} from './wire/stats.ts'

/** Every schema that has a name, by name: the `components.schemas` of the OpenAPI document. */
export const components: Readonly<Record<string, TSchema>> = Object.fromEntries(
  [
    ...[ProjectSchema, ProjectSettingsSchema, ProjectPageSchema],
    ...[CreateProjectSchema, UpdateProjectSchema],
    ...[ApiKeySchema, ApiKeyPageSchema, CreateApiKeySchema, CreatedApiKeySchema],
    ...[RotateApiKeySchema, CreatePortalSessionSchema, PortalSessionSchema],
    ...[EventTypeSchema, EventTypePageSchema, DefineEventTypeSchema],
    ...[EndpointSchema, EndpointPageSchema, CreateEndpointSchema, CreatedEndpointSchema],
    ...[UpdateEndpointSchema, TestEndpointSchema, TestResultSchema],
    ...[RecoverEndpointSchema, RecoverySchema, EndpointStatsSchema, ProjectStatsSchema],
    ...[SecretSchema, SecretPageSchema, RotateSecretSchema, RotatedSecretSchema],
    ...[RevokePreviousSecretSchema, RevokedPreviousSecretSchema, KeySetSchema],
    ...[RotationSchema, RotationStepSchema, RotationPageSchema],
    ...[EvidenceSchema, DrillSchema, EarlierDrillSchema],
    ...[ProbeFindingSchema, ProbeAnswerSchema, ReportedSecretSchema],
    ...[UpdateRotationSchema, EndRotationSchema],
    ...[ClaimSecretSchema, ClaimedSecretSchema, DisputedClaimSchema, ReissuedClaimLinkSchema],
    ...[FleetEntrySchema, FleetRotationSchema, FleetPageSchema, SecretPolicySchema],
    ...[CampaignSchema, CampaignFilterSchema, CampaignPageSchema, CreateCampaignSchema],
    ...[CampaignEndpointSchema, CampaignEndpointPageSchema],
    ...[EventSchema, EventSummarySchema, EventPageSchema],
    ...[PublishEventSchema, PublishedEventSchema, PublishBatchSchema, PublishedBatchSchema],
    ...[BatchResultSchema, BatchErrorSchema],
    ...[DeliverySchema, DeliveryWithAttemptsSchema, DeliveryPageSchema],
    ...[AttemptSchema, AttemptResponseSchema],
    ...[AuditRowSchema, AuditRowPageSchema],
    ...[ActorSchema, ProblemSchema, FieldErrorSchema, StatusSchema, emptyBody.schema],
  ].map((schema) => [nameOf(schema), schema]),
)
