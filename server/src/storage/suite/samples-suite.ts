import { createHash, randomBytes } from 'node:crypto'
import type { ApiKey } from '../../core/api-key.ts'
import { systemActor } from '../../core/authorization.ts'
import type { Clock } from '../../core/clock.ts'
import type { Attempt } from '../../core/delivery.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import type { NewEvent } from '../../core/event.ts'
import { newEndpointHealth } from '../../core/health.ts'
import { createIdFactory, type IdPrefix } from '../../core/ids.ts'
import type { Project } from '../../core/project.ts'
import type { Rotation } from '../../core/rotation.ts'
import { unwatched } from '../../core/rotation-watch.ts'
import type { Secret } from '../../core/secret.ts'
import type { AttemptResult, ClaimedDelivery, Storage } from '../storage.ts'

/** Makes valid things out of nothing, and stores those that begin with `add`. */
export interface Samples {
  id(prefix: IdPrefix): string
  project(values?: Partial<Project>): Project
  apiKey(projectId: string, values?: Partial<ApiKey>): ApiKey
  endpoint(projectId: string, values?: Partial<Endpoint>): Endpoint
  secret(endpoint: Endpoint, values?: Partial<Secret>): Secret
  rotation(previous: Secret, next: Secret, values?: Partial<Rotation>): Rotation
  event(projectId: string, values?: Partial<NewEvent>): NewEvent
  attempt(values?: Partial<Attempt>): Omit<Attempt, 'number'>
  /** The result of an attempt that was answered with 204, or what `values` say. */
  result(delivery: ClaimedDelivery, values?: Partial<AttemptResult>): AttemptResult
  addProject(values?: Partial<Project>): Promise<Project>
  addEndpoint(projectId: string, values?: Partial<Endpoint>): Promise<Endpoint>
  /** A project with one endpoint that takes everything. */
  addPair(): Promise<{ project: Project; endpoint: Endpoint }>
  /** Publishes; `values` may be a list, for as many events in one call. */
  publish(projectId: string, ...values: Partial<NewEvent>[]): Promise<NewEvent[]>
  /** Claims whatever is due. */
  claimAll(): Promise<ClaimedDelivery[]>
  /** Claims, and records every delivery with `values`. */
  deliverAll(values?: Partial<AttemptResult>): Promise<ClaimedDelivery[]>
}

export function createSamples(store: {
  readonly storage: Storage
  readonly clock: Clock
}): Samples {
  const { clock } = store
  const id = createIdFactory({ now: clock.now, randomBytes })

  const samples: Samples = {
    id,
    project: (values) => ({
      id: id('prj'),
      uid: null,
      name: 'Acme',
      settings: {},
      createdAt: clock.now(),
      updatedAt: clock.now(),
      ...values,
    }),
    apiKey: (projectId, values) => ({
      id: id('key'),
      projectId,
      name: 'server',
      scopes: ['events.write', 'events.read'],
      dialect: null,
      clientId: null,
      hint: 'abcd',
      hash: createHash('sha256').update(id('key')).digest('hex'),
      previousHash: null,
      previousExpiresAt: null,
      createdAt: clock.now(),
      expiresAt: null,
      revokedAt: null,
      lastUsedAt: null,
      ...values,
    }),
    endpoint: (projectId, values) => newEndpoint(id('ep'), projectId, clock.now(), values),
    secret: (endpoint, values) => ({
      id: id('sec'),
      projectId: endpoint.projectId,
      endpointId: endpoint.id,
      algorithm: 'hmac-sha256',
      sealedValue: new Uint8Array([1, 2, 3]),
      publicKey: null,
      hint: 'wxyz',
      fingerprint: '0123456789abcdef',
      createdAt: clock.now(),
      activatesAt: clock.now(),
      expiresAt: null,
      revokedAt: null,
      expirySeenAt: null,
      lastSignedAt: null,
      ...values,
    }),
    rotation: (previous, next, values) => newRotation(id('rot'), previous, next, values),
    event: (projectId, values) => ({
      id: id('evt'),
      hasCallerId: false,
      projectId,
      type: 'order.created',
      timestamp: '2026-11-21T12:00:00.000Z',
      metadata: {},
      data: '{"order":1}',
      createdAt: clock.now(),
      ...values,
    }),
    attempt: (values) => newAttempt(id('att'), clock.now(), values),
    result: ({ id: deliveryId, projectId, endpointId, leaseToken }, values) => ({
      deliveryId,
      projectId,
      endpointId,
      leaseToken,
      attempt: samples.attempt(),
      next: { status: 'delivered', at: clock.now() },
      ...values,
    }),
    async addProject(values) {
      const project = samples.project(values)
      await store.storage.transact((tx) => tx.insertProject(project))
      return project
    },
    async addEndpoint(projectId, values) {
      const endpoint = samples.endpoint(projectId, values)
      await store.storage.transact((tx) => tx.insertEndpoint(endpoint))
      return endpoint
    },
    async addPair() {
      const project = await samples.addProject()
      return { project, endpoint: await samples.addEndpoint(project.id) }
    },
    async publish(projectId, ...values) {
      const events = values.length === 0 ? [{}] : values
      const made = events.map((value) => samples.event(projectId, value))
      await store.storage.acceptEvents(made)
      return made
    },
    claimAll: () =>
      store.storage.claimDue({ limit: 1000, perEndpointMax: 1000, fullEndpointIds: new Set() }),
    async deliverAll(values) {
      const claimed = await samples.claimAll()
      const results = claimed.map((delivery) => samples.result(delivery, values))
      await store.storage.transact((tx) => tx.recordAttempts(results))
      return claimed
    },
  }
  return samples
}

function newEndpoint(
  id: string,
  projectId: string,
  now: number,
  values: Partial<Endpoint> = {},
): Endpoint {
  return {
    ...newEndpointHealth,
    id,
    projectId,
    uid: null,
    url: 'https://example.com/hook',
    description: null,
    eventTypes: ['*'],
    state: 'active',
    blockedAt: null,
    blockedReason: null,
    signingEnabled: true,
    unverifyingSince: null,
    format: 'standard',
    headerNames: [],
    sealedHeaders: null,
    metadata: {},
    rateLimitPerSecond: null,
    createdBy: systemActor,
    dialect: null,
    createdAt: now,
    updatedAt: now,
    deletedAt: null,
    ...values,
  }
}

function newRotation(
  id: string,
  previous: Secret,
  next: Secret,
  values: Partial<Rotation> = {},
): Rotation {
  return {
    id,
    projectId: previous.projectId,
    endpointId: previous.endpointId,
    previousSecretId: previous.id,
    newSecretId: next.id,
    activatesAt: next.activatesAt,
    previousSecretExpiresAt: next.activatesAt + 86_400_000,
    previousSecretExpirySeenAt: null,
    windowEndsAt: next.activatesAt + 86_400_000,
    unclaimedWindowSeconds: null,
    completeWhen: 'expiry',
    capAt: null,
    heldAt: null,
    attention: null,
    evidence: null,
    reported: [],
    watch: unwatched,
    campaignId: null,
    droppedSecretIds: ['sec_dropped'],
    expiriesBefore: { [previous.id]: null },
    reason: 'a leak',
    actor: systemActor,
    notes: [{ at: next.createdAt, what: 'created', actor: systemActor, detail: null }],
    outcome: null,
    createdAt: next.createdAt,
    ...values,
  }
}

function newAttempt(
  id: string,
  now: number,
  values: Partial<Attempt> = {},
): Omit<Attempt, 'number'> {
  return {
    id,
    startedAt: now,
    durationMs: 12.5,
    request: {
      method: 'POST',
      url: 'https://example.com/hook',
      headers: { 'content-type': 'application/json', 'webhook-id': 'evt_1' },
    },
    secretIds: ['sec_1', 'sec_0'],
    response: { statusCode: 204, headers: { server: 'x' }, body: '', bodyTruncated: false },
    error: null,
    errorDetail: null,
    ...values,
  }
}
