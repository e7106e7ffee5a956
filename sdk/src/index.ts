export { Countersign, type CountersignOptions } from './countersign.ts'
export { ApiError, ConnectionError, CountersignError, TimeoutError } from './errors.ts'
export type { WebhookKeySet, WebhookSecret } from './held-secrets.ts'
export { KeySetError } from './key-set-address.ts'
export type { List, Page } from './list.ts'
export { type RawJson, rawJson } from './raw-json.ts'
export type { ApiKeys } from './resources/api-keys.ts'
export type { AuditLog } from './resources/audit-log.ts'
export type { Campaigns } from './resources/campaigns.ts'
export type { Catalog } from './resources/catalog.ts'
export type { Claims } from './resources/claims.ts'
export type { Deliveries } from './resources/deliveries.ts'
export type { Endpoints } from './resources/endpoints.ts'
export type { EventTypes } from './resources/event-types.ts'
export type { Events } from './resources/events.ts'
export type { Fleet } from './resources/fleet.ts'
export type { PortalSessions } from './resources/portal-sessions.ts'
export type { Projects } from './resources/projects.ts'
export type { Rotations } from './resources/rotations.ts'
export type { Server } from './resources/server.ts'
export type { FollowOptions, Stream, StreamItem } from './resources/stream.ts'
export type * from './resources.ts'
export {
  type HandleOnceOptions,
  handleOnce,
  memorySeenStore,
  type SeenStore,
} from './seen-store.ts'
export type { Fetch, FetchInit, PostOptions, RequestOptions } from './transport.ts'
export {
  toResponseHeaders,
  type VerifiedWebhook,
  type VerifyWebhookOptions,
  verifyWebhook,
  type WebhookEvent,
  type WebhookFormatName,
} from './verify-webhook.ts'
export {
  type ExpressWebhookHandler,
  expressWebhookHandler,
  type FastifyLike,
  type FastifyLikeReply,
  type FastifyLikeRequest,
  fastifyWebhooks,
  type NodeRequest,
  type NodeResponse,
  webhookHandler,
} from './webhook-adapters.ts'
export type { WebhookHeaders } from './webhook-headers.ts'
export type { WebhookAnswer, WebhookReceiverOptions } from './webhook-receiver.ts'
export {
  WebhookVerificationError,
  type WebhookVerificationErrorCode,
} from './webhook-verification-error.ts'
