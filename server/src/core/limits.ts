/** Every bound of the product that is not an option of the operator. One table, so that none hides. */
export const limits = {
  // Bodies and texts
  dataBytesMax: 256 * 1024,
  dataBytesHardMax: 1024 * 1024,
  /** What may stand around `data` in one published event: type, id, timestamp, metadata. */
  eventEnvelopeBytesMax: 16 * 1024,
  batchEventsMax: 1000,
  batchBodyBytesMax: 16 * 1024 * 1024,
  requestBodyBytesMax: 256 * 1024,
  jsonDepthMax: 64,
  metadataBytesMax: 4 * 1024,
  nameLengthMax: 200,
  uidLengthMax: 128,
  urlLengthMax: 2048,
  descriptionLengthMax: 500,
  reasonLengthMax: 500,
  eventTypesMax: 100,
  eventSchemaBytesMax: 64 * 1024,
  /** Longest time for holding one event against its schema. */
  eventSchemaCheckMs: 2_000,
  /** What a check may take where other projects wait for it. */
  eventSchemaQuickMs: 100,
  /** Longest time that a check waits for its turn. */
  eventSchemaWaitMs: 10_000,
  /** Types whose schema is remembered. */
  eventTypesKnownMax: 10_000,
  eventTypeLengthMax: 256,
  endpointHeadersMax: 20,
  headerNameLengthMax: 128,
  headerValueLengthMax: 2048,
  endpointsPerProjectMax: 1000,
  rateLimitPerSecond: 200,
  rateLimitBurst: 400,
  idempotencyKeyLengthMax: 255,

  // Lists
  pageSizeMax: 100,
  pageSizeDefault: 25,

  // Secrets and rotations
  secretBytesGenerated: 32,
  secretBytesMin: 24,
  secretBytesMax: 64,
  secretsActiveMax: 3,
  /** How long a receiver may keep a set of public keys, and how long a key is in it before it signs. */
  keySetMaxAgeSeconds: 300,
  keySetLeadMs: 600_000,
  expireCurrentInDefaultSeconds: 86_400,
  expireCurrentInMaxSeconds: 2_592_000,
  secretAgeMaxDays: 3_650,
  campaignPerMinuteMax: 6_000,
  campaignFilterIdsMax: 1_000,
  activateAheadMaxMs: 30 * 86_400_000,
  /** Earlier drills that a rotation remembers. */
  drillsKeptMax: 20,
  /** Probes, tests and pings together. */
  probesPerEndpointMinute: 10,
  probesPerProjectMinute: 60,
  /** A difference between wall clock and monotonic clock above this is a jump, not drift. */
  clockJumpMs: 5_000,
  lastSignedLagMs: 60_000,

  // Statistics
  statsDeliveriesMax: 100_000,
  statsBucketsMax: 1_000,

  // Portal sessions
  portalSessionDefaultSeconds: 3_600,
  portalSessionMaxSeconds: 86_400,

  // Idempotency
  idempotencyKeptMs: 24 * 3_600_000,
  idempotencyWaitMs: 5_000,

  // Delivery
  /** What a lease lasts beyond the attempt timeout (delivery.md, Leases). */
  leaseMarginMs: 15_000,
  /** What of the lease is kept for recording: no attempt begins that could not be recorded in time. */
  leaseRecordingMs: 5_000,
  /** How long one process may do a job without asking whether it is still the one (several nodes). */
  leadMs: 15_000,
  /** A request whose signing and sending lie further apart than this is signed again. */
  signatureAgeMaxMs: 250,
  responseBodyKeptBytes: 16 * 1024,
  responseBodyReadBytesMax: 1024 * 1024,
  dnsLookupAtCreateMs: 2_000,
  /** Deliveries handed to the sender and not yet recorded, in all and for one endpoint. */
  handOffMax: 10_000,
  handOffPerEndpointMax: 2_000,
  handOffPerEndpointMin: 32,
  handOffBytesMax: 64 * 1024 * 1024,
  claimBatchMax: 500,
  claimPerEndpointMax: 100,
  /** Endpoints whose sending facts the sender thread keeps. */
  senderEndpointsMax: 50_000,

  // Storage
  writeBatchMax: 2_000,
  writeQueueMax: 50_000,
} as const
