import assert from 'node:assert/strict'
import type { Scope } from '../../src/core/authorization.ts'
import type { Storage } from '../../src/storage/storage.ts'
import {
  createTestApi,
  type Method,
  type Reply,
  type SendOptions,
  type TestApi,
  type TestProject,
} from '../support/test-api.ts'

/** Where the two versions of the API have their subscriptions. */
export const v3 = '/api/v3/webhook_subscriptions'
export const v31 = '/api/v3.1/webhook_subscriptions'

export const triggerMessage = 'composio.trigger.message'

/** A subscription as Composio's clients see it. */
export interface Subscription {
  id: string
  webhook_url: string
  version: string
  enabled_events: string[]
  secret: string
  created_at: string
  updated_at: string
}

/** The server with one project, seen through Composio's API. */
export interface ComposioWorld extends AsyncDisposable {
  server: TestApi
  project: TestProject
  /** Sends the project's key as `x-api-key`, or another one; null: none. */
  send(method: Method, path: string, options?: ComposioOptions): Promise<Reply>
  /** Makes the one subscription that Composio knows. */
  createSubscription(fields?: object): Promise<Subscription>
  /** Makes an endpoint that Composio did not make; answers the id that it has here. */
  createEndpoint(fields?: object): Promise<string>
  /** A key of the project with these scopes alone. */
  keyWith(scopes: readonly Scope[]): Promise<string>
  /** The next call of this member of the store, or of one of its transactions, fails. */
  failNext(member: string): void
}

export type ComposioOptions = SendOptions & { key?: string | null }

export async function createComposioWorld(
  options: Omit<NonNullable<Parameters<typeof createTestApi>[0]>, 'wrapStorage'> = {},
): Promise<ComposioWorld> {
  let failing: string | null = null
  /** The same object, whose named member fails once, for a reason that nobody may learn. */
  const fallible = <T extends object>(target: T): T =>
    new Proxy(target, {
      get(inner, name) {
        if (name !== failing) return Reflect.get(inner, name)
        failing = null
        return () => Promise.reject(new Error('The disk of the night shift is gone.'))
      },
    })
  const server = await createTestApi({
    ...options,
    wrapStorage: (storage): Storage =>
      fallible({
        ...storage,
        transact: (work) => storage.transact((tx) => work(fallible({ ...tx }))),
      }),
  })
  const project = await server.addProject()
  const send: ComposioWorld['send'] = (
    method,
    path,
    { key = project.key, headers, ...rest } = {},
  ) => {
    const credential = key === null ? {} : { 'x-api-key': key }
    return server.send(method, path, { ...rest, headers: { ...credential, ...headers } })
  }
  return {
    server,
    project,
    send,
    async createSubscription(fields) {
      const body = {
        webhook_url: 'https://rx.example/c',
        enabled_events: [triggerMessage],
        ...fields,
      }
      const reply = await send('POST', v31, { body })
      assert.equal(reply.status, 201, reply.text)
      return reply.body
    },
    async createEndpoint(fields) {
      const body = { url: 'https://native.example/', ...fields }
      const reply = await server.call('POST', `${project.path}/endpoints`, { body })
      assert.equal(reply.status, 201, reply.text)
      return reply.body.id.replace('ep_', 'ws_')
    },
    async keyWith(scopes) {
      const body = { name: 'A key', scopes, dialect: 'composio' }
      const reply = await server.call('POST', `${project.path}/api-keys`, { body })
      assert.equal(reply.status, 201, reply.text)
      return reply.body.key
    },
    failNext(member) {
      failing = member
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** Lets reads of v3.1 show secrets, or forbids it again. */
export async function setReveal({ server, project }: ComposioWorld, isOn: boolean): Promise<void> {
  const body = { settings: { reveal_secret_in_reads: isOn } }
  const reply = await server.call('PATCH', project.path, { body })
  assert.equal(reply.status, 200, reply.text)
}

/** Where the native API has the endpoint behind a subscription. */
export function nativePath({ project }: ComposioWorld, subscriptionId: string): string {
  return `${project.path}/endpoints/${subscriptionId.replace('ws_', 'ep_')}`
}

/** Ids and statuses of the secrets behind a subscription, newest first. */
export async function secretStatuses(world: ComposioWorld, subscriptionId: string) {
  const reply = await world.server.call('GET', `${nativePath(world, subscriptionId)}/secrets`)
  return reply.body.data.map(({ status }: { status: string }) => status) as string[]
}

/** Every refusal but 429 has this shape, and is numbered after its status. */
export function assertRefused(reply: Reply, status: number, message?: RegExp): void {
  assert.equal(reply.status, status, reply.text)
  assert.equal(reply.headers['content-type'], 'application/json; charset=utf-8')
  assert.deepEqual(Object.keys(reply.body), ['error'])
  const { error } = reply.body
  assert.deepEqual([error.code, error.status], [10_000 + status, status])
  assert.match(error.slug, /^HTTP_[A-Z][A-Za-z]+$/)
  assert.equal(error.request_id, reply.headers['x-request-id'])
  assert.ok(error.message.length > 0)
  if (message !== undefined) assert.match(error.message, message)
}
