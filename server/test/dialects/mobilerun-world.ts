import assert from 'node:assert/strict'
import type { AttemptResult } from '../../src/storage/storage.ts'
import {
  createTestApi,
  type Method,
  type Reply,
  type SendOptions,
  type TestApi,
  type TestProject,
} from '../support/test-api.ts'

/** A webhook as Mobilerun's clients see it; `secret` where it was just made. */
export interface Webhook {
  id: string
  url: string
  eventTypes: string[]
  state: string
  health: string
  blockedAt: string | null
  blockedReason: string | null
  description: string | null
  createdBy: string | null
  secret: string
  [field: string]: unknown
}

/** The server with one project, seen through Mobilerun's API. */
export interface MobilerunWorld extends AsyncDisposable {
  server: TestApi
  project: TestProject
  /** Sends with the project's key, or with another one; null: with none. */
  send(method: Method, path: string, options?: MobilerunOptions): Promise<Reply>
  createWebhook(fields?: object): Promise<Webhook>
  /** Publishes natively and answers the event's id. */
  publish(type?: string, fields?: object): Promise<string>
  /** As the dispatcher would: one attempt for each delivery that is due. */
  attemptAll(outcome: Outcome): Promise<void>
  /** The next secret cannot be stored, for a reason that nobody knows. */
  failNextSecret(): void
}

export type MobilerunOptions = SendOptions & { key?: string | null }

/** `failed`: answered 500. `unreached`: given up as well, without a connection. */
export type Outcome = 'delivered' | 'failed' | 'unreached' | 'skipped'

export async function createMobilerunWorld(
  options: Omit<NonNullable<Parameters<typeof createTestApi>[0]>, 'wrapStorage'> = {},
): Promise<MobilerunWorld> {
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
  const send: MobilerunWorld['send'] = (
    method,
    path,
    { key = project.key, headers, ...rest } = {},
  ) => {
    const credential = key === null ? {} : { authorization: `Bearer ${key}` }
    return server.send(method, path, { ...rest, headers: { ...credential, ...headers } })
  }
  return {
    server,
    project,
    send,
    async createWebhook(fields) {
      const body = { url: 'https://rx.example/in', ...fields }
      const reply = await send('POST', '/webhooks', { body })
      assert.equal(reply.status, 201, reply.text)
      return reply.body.data
    },
    async publish(type = 'task.run.completed', fields = {}) {
      const body = { type, data: { run: 7 }, ...fields }
      const reply = await server.call('POST', `${project.path}/events`, { body })
      assert.equal(reply.status, 202, reply.text)
      return reply.body.id
    },
    attemptAll: (outcome) => attemptAll(server, outcome),
    failNextSecret() {
      isToFail = true
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

async function attemptAll({ storage, clock }: TestApi, outcome: Outcome): Promise<void> {
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
      attempt: outcome === 'skipped' ? null : attemptOf(`att_${at}_${index}`, at, outcome),
      next:
        outcome === 'delivered' || outcome === 'skipped'
          ? { status: outcome, at }
          : { status: 'failed', reason: 'exhausted', at },
    }
  })
  const { fencedDeliveryIds } = await storage.transact((tx) => tx.recordAttempts(results))
  assert.deepEqual(fencedDeliveryIds, [])
}

function attemptOf(
  id: string,
  startedAt: number,
  outcome: Exclude<Outcome, 'skipped'>,
): NonNullable<AttemptResult['attempt']> {
  const attempt = {
    id,
    startedAt,
    durationMs: 8.5,
    request: {
      method: 'POST',
      url: 'https://rx.example/in',
      headers: { 'webhook-signature': 'v1,abc=' },
    },
    secretIds: ['sec_1'],
  }
  const answer = { headers: { server: 'rx' }, bodyTruncated: false }
  switch (outcome) {
    case 'delivered':
      return {
        ...attempt,
        response: { ...answer, statusCode: 204, body: '' },
        error: null,
        errorDetail: null,
      }
    case 'failed':
      return {
        ...attempt,
        response: { ...answer, statusCode: 500, body: 'sorry' },
        error: 'http_status',
        errorDetail: null,
      }
    case 'unreached':
      return {
        ...attempt,
        request: { ...attempt.request, headers: {} },
        secretIds: [],
        response: null,
        error: 'connect',
        errorDetail: 'Could not connect to rx.example port 443 (ECONNREFUSED).',
      }
  }
}
