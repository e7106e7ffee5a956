import assert from 'node:assert/strict'
import type { Scope } from '../../src/core/authorization.ts'
import { idOfUuid, uuidOf } from '../../src/core/ids.ts'
import {
  createTestApi,
  type Method,
  type Reply,
  type SendOptions,
  type TestApi,
  type TestProject,
} from '../support/test-api.ts'
import type { Operation } from './contract.ts'

/** A webhook as DevTune's clients see it; `secret` where it was just made. */
export interface Webhook {
  id: string
  url: string
  events: string[]
  isActive: boolean
  createdAt: string
  updatedAt: string
  secret: string
}

/** The server with one project, seen through DevTune's API. */
export interface DevtuneWorld extends AsyncDisposable {
  server: TestApi
  project: TestProject
  /** A key of DevTune's shape with every scope that keys have by themselves. */
  key: string
  /** The project's webhooks: `/api/v2/projects/<uuid>/webhooks`. */
  path: string
  /** Sends with the world's key, or with another one; null: with none. */
  send(method: Method, path: string, options?: DevtuneOptions): Promise<Reply>
  /** An operation of the contract on a webhook, with a body that is right unless another is given. */
  call(
    operation: Pick<Operation, 'method' | 'path'>,
    webhookId: string,
    options?: DevtuneOptions & { projectId?: string },
  ): Promise<Reply>
  createWebhook(fields?: object): Promise<Webhook>
  rotate(webhookId: string, options?: DevtuneOptions): Promise<Reply>
  /** What is listed. */
  listed(options?: DevtuneOptions): Promise<Omit<Webhook, 'secret'>[]>
  /** Another key of DevTune's shape; all the usual scopes unless they are named. */
  addKey(scopes?: readonly Scope[]): Promise<string>
  /** Of a webhook's secrets, newest first. */
  secretStatuses(webhookId: string): Promise<string[]>
  /** The next secret cannot be stored, for a reason that nobody knows. */
  failNextSecret(): void
}

export type DevtuneOptions = SendOptions & { key?: string | null }

export const unknownId = '550e8400-e29b-41d4-a716-446655440000'

/** Fields with which a webhook can be made. */
export const rightFields = { url: 'https://rx.example/in', events: ['action.created'] }

export async function createDevtuneWorld(
  options: Omit<NonNullable<Parameters<typeof createTestApi>[0]>, 'wrapStorage'> = {},
): Promise<DevtuneWorld> {
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
  const addKey: DevtuneWorld['addKey'] = async (scopes) => {
    const body = { name: 'DevTune', dialect: 'devtune', ...(scopes ? { scopes } : {}) }
    const reply = await server.call('POST', `${project.path}/api-keys`, { body })
    assert.equal(reply.status, 201, reply.text)
    return reply.body.key
  }
  const key = await addKey()
  const path = `/api/v2/projects/${uuidOf(project.id)}/webhooks`
  const send: DevtuneWorld['send'] = (method, url, { key: as = key, headers, ...rest } = {}) => {
    const credential = as === null ? {} : { authorization: `Bearer ${as}` }
    return server.send(method, url, { ...rest, headers: { ...credential, ...headers } })
  }
  return {
    server,
    project,
    key,
    path,
    send,
    call(operation, webhookId, { projectId = uuidOf(project.id), ...rest } = {}) {
      const url = operation.path.replace('{projectId}', projectId).replace('{webhookId}', webhookId)
      const isCreate = operation.method === 'POST' && url.endsWith('/webhooks')
      return send(operation.method, url, { ...(isCreate ? { body: rightFields } : {}), ...rest })
    },
    async createWebhook(fields) {
      const reply = await send('POST', path, { body: { ...rightFields, ...fields } })
      assert.equal(reply.status, 201, reply.text)
      return reply.body.data
    },
    rotate: (webhookId, rest) => send('POST', `${path}/${webhookId}/rotate-secret`, rest),
    async listed(rest) {
      const reply = await send('GET', path, rest)
      assert.equal(reply.status, 200, reply.text)
      return reply.body.data.webhooks
    },
    addKey,
    async secretStatuses(webhookId) {
      const url = `${project.path}/endpoints/${idOfUuid('ep', webhookId)}/secrets`
      const { body } = await server.call('GET', url)
      return body.data.map(({ status }: { status: string }) => status)
    },
    failNextSecret() {
      isToFail = true
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
