import assert from 'node:assert/strict'
import type { Scope } from '../../src/core/authorization.ts'
import type { AttemptError } from '../../src/core/delivery.ts'
import { nextHealth } from '../../src/core/health.ts'
import { idOfUuid } from '../../src/core/ids.ts'
import type { AttemptResult } from '../../src/storage/storage.ts'
import {
  createTestApi,
  type Method,
  type Reply,
  type SendOptions,
  type TestApi,
  type TestProject,
} from '../support/test-api.ts'
import type { Operation } from './contract.ts'

/** A webhook as H Company's clients see it; `secret` where it was just made. */
export interface Webhook {
  id: string
  url: string
  enabled_events: string[]
  description: string | null
  disabled: boolean
  created_at: string
  updated_at: string
  last_delivery_status: string | null
  last_delivery_error: string | null
  last_delivery_at: string | null
  last_success_at: string | null
  consecutive_failures: number
  secret: string
}

/** The server with one project, seen through H Company's API. */
export interface HCompanyWorld extends AsyncDisposable {
  server: TestApi
  project: TestProject
  /** Sends with a key of H Company's shape, or with another one; null: with none. */
  send(method: Method, path: string, options?: HCompanyOptions): Promise<Reply>
  /** An operation of the contract on a webhook, with a body that is right unless another is given. */
  call(operation: Operation, webhookId: string, options?: HCompanyOptions): Promise<Reply>
  createWebhook(fields?: object): Promise<Webhook>
  readWebhook(id: string): Promise<Webhook>
  /** An endpoint of the native API; answers its UUID. */
  createNative(fields?: object): Promise<string>
  addKey(scopes: readonly Scope[]): Promise<string>
  /** Publishes natively. */
  publish(type?: string): Promise<void>
  /** As the dispatcher would: one attempt for each delivery that is due; null: answered 204. */
  attemptAll(failure: Failure | null): Promise<void>
  /** Of a webhook's secrets, newest first. */
  secretStatuses(webhookId: string): Promise<string[]>
  /** The next secret cannot be stored, for a reason that nobody knows. */
  failNextSecret(): void
}

export type HCompanyOptions = SendOptions & { key?: string | null }

/** How an attempt fails: with a status of the receiver, or without one. */
export interface Failure {
  error: AttemptError
  statusCode: number | null
}

export const webhooksPath = '/api/v2/webhooks'
export const unknownId = '550e8400-e29b-41d4-a716-446655440000'

export async function createHCompanyWorld(
  options: Omit<NonNullable<Parameters<typeof createTestApi>[0]>, 'wrapStorage'> = {},
): Promise<HCompanyWorld> {
  let isToFail = false
  const server = await createTestApi({
    ...options,
    wrapStorage: (storage) => ({
      ...storage,
      transact: (work) =>
        storage.transact((tx) =>
          work({
            ...tx,
            async insertSecret(secret) {
              if (!isToFail) return tx.insertSecret(secret)
              isToFail = false
              throw new Error(`There is no room for ${secret.id}.`)
            },
          }),
        ),
    }),
  })
  const project = await server.addProject()
  const native = async (path: string, body: object): Promise<Reply> => {
    const reply = await server.call('POST', project.path + path, { body })
    assert.ok(reply.status < 300, reply.text)
    return reply
  }
  const made = await native('/api-keys', { name: 'H Company', dialect: 'h-company' })
  const ownKey: string = made.body.key
  const send: HCompanyWorld['send'] = (method, path, { key = ownKey, headers, ...rest } = {}) => {
    const credential = key === null ? {} : { authorization: `Bearer ${key}` }
    return server.send(method, path, { ...rest, headers: { ...credential, ...headers } })
  }
  return {
    server,
    project,
    send,
    call: ({ name, method, path }, webhookId, rest) =>
      send(method, path.replace('{webhook_id}', webhookId), { ...bodyOf(name), ...rest }),
    async createWebhook(fields) {
      const body = { url: 'https://rx.example/in', ...fields }
      const reply = await send('POST', webhooksPath, { body })
      assert.equal(reply.status, 201, reply.text)
      return reply.body
    },
    async readWebhook(id) {
      const reply = await send('GET', `${webhooksPath}/${id}`)
      assert.equal(reply.status, 200, reply.text)
      return reply.body
    },
    async createNative(fields) {
      await native('/endpoints', { url: 'https://native.example/', ...fields })
      const { body } = await send('GET', `${webhooksPath}?size=1`)
      return body.items[0].id
    },
    async addKey(scopes) {
      return (await native('/api-keys', { name: 'A key', dialect: 'h-company', scopes })).body.key
    },
    async publish(type = 'session.completed') {
      await native('/events', { type, data: { session_id: 's' } })
    },
    attemptAll: (failure) => attemptAll(server, failure),
    async secretStatuses(webhookId) {
      const path = `${project.path}/endpoints/${idOfUuid('ep', webhookId)}/secrets`
      const { body } = await server.call('GET', path)
      return body.data.map(({ status }: { status: string }) => status)
    },
    failNextSecret() {
      isToFail = true
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

function bodyOf(operation: string): SendOptions {
  if (operation === 'create webhook') return { body: { url: 'https://rx.example/in' } }
  return operation === 'change webhook' ? { body: { description: 'changed' } } : {}
}

async function attemptAll({ storage, clock }: TestApi, failure: Failure | null): Promise<void> {
  const claims = await storage.claimDue({
    limit: 100,
    perEndpointMax: 100,
    fullEndpointIds: new Set(),
  })
  assert.ok(claims.length > 0, 'something is due')
  const at = clock.now()
  const results = claims.map((claim, index): AttemptResult => {
    const { projectId, endpointId, leaseToken } = claim
    return {
      deliveryId: claim.id,
      projectId,
      endpointId,
      leaseToken,
      attempt: attemptOf(`att_${at}_${index}`, at, failure),
      next:
        failure === null
          ? { status: 'delivered', at }
          : { status: 'failed', reason: 'exhausted', at },
    }
  })
  await storage.transact(async (tx) => {
    await tx.recordAttempts(results)
    for (const { endpointId } of results) {
      const endpoint = await tx.getEndpointById(endpointId)
      assert.ok(endpoint)
      const outcome = {
        succeeded: failure === null,
        exhausted: failure !== null,
        statusCode: null,
        at,
      }
      const { health } = nextHealth(endpoint, [outcome], { blockAfterMs: 432_000_000 })
      await tx.updateEndpointHealth(endpointId, health)
    }
  })
}

function attemptOf(
  id: string,
  startedAt: number,
  failure: Failure | null,
): NonNullable<AttemptResult['attempt']> {
  const { error, statusCode } = failure ?? { error: null, statusCode: 204 }
  return {
    id,
    startedAt,
    durationMs: 8.5,
    request: { method: 'POST', url: 'https://rx.example/in', headers: {} },
    secretIds: ['sec_1'],
    response:
      statusCode === null ? null : { statusCode, headers: {}, body: '', bodyTruncated: false },
    error,
    errorDetail: null,
  }
}
