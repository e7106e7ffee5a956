import assert from 'node:assert/strict'
import type { Scope } from '../../src/core/authorization.ts'
import {
  createTestApi,
  type Method,
  type Reply,
  type SendOptions,
  type TestApi,
  type TestProject,
} from '../support/test-api.ts'

/** As Dinie's clients see it; `secret` where it was just made. */
export interface WebhookEndpoint {
  id: string
  url: string
  events: string[]
  description: string | null
  status: string
  created_at: string
  updated_at: string
  secret: string
}

export interface ClientCredentials {
  clientId: string
  clientSecret: string
}

/** The server with one project, seen through Dinie's API. */
export interface DinieWorld extends AsyncDisposable {
  server: TestApi
  project: TestProject
  credentials: ClientCredentials
  /** Of the credentials, an hour from the world's first instant. */
  accessToken: string
  /** Sends with the access token, or with another key; null: with none. */
  send(method: Method, path: string, options?: DinieOptions): Promise<Reply>
  /** With the access token, or with another key. */
  createEndpoint(fields?: object, key?: string): Promise<WebhookEndpoint>
  /** New ones, with all of a key's usual scopes or with these. */
  addCredentials(scopes?: readonly Scope[]): Promise<ClientCredentials>
  /** Asks for a token, with the credentials or with another `Authorization`. */
  getToken(options?: { prefix?: string; basic?: string }): Promise<Reply>
  /** The next secret cannot be stored, for a reason that nobody knows. */
  failNextSecret(): void
}

export type DinieOptions = SendOptions & { key?: string | null }

export async function createDinieWorld(
  options: Omit<NonNullable<Parameters<typeof createTestApi>[0]>, 'wrapStorage'> = {},
): Promise<DinieWorld> {
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
  const world: DinieWorld = {
    server,
    project,
    credentials: { clientId: '', clientSecret: '' },
    accessToken: '',
    send(method, path, { key = world.accessToken, headers, ...rest } = {}) {
      const credential = key === null ? {} : { authorization: `Bearer ${key}` }
      return server.send(method, path, { ...rest, headers: { ...credential, ...headers } })
    },
    async createEndpoint(fields, key = world.accessToken) {
      const body = { url: 'https://rx.example/in', ...fields }
      const reply = await world.send('POST', '/v3/webhooks/endpoints', { body, key })
      assert.equal(reply.status, 201, reply.text)
      return reply.body
    },
    async addCredentials(scopes) {
      const body = { name: 'Dinie', dialect: 'dinie', ...(scopes === undefined ? {} : { scopes }) }
      const reply = await server.call('POST', `${project.path}/api-keys`, { body })
      assert.equal(reply.status, 201, reply.text)
      return { clientId: reply.body.client_id, clientSecret: reply.body.client_secret }
    },
    getToken: ({ prefix = '', basic = basicOf(world.credentials) } = {}) =>
      server.send('POST', `${prefix}/auth/token`, {
        rawBody: 'grant_type=client_credentials',
        headers: { ...formHeaders, authorization: basic },
      }),
    failNextSecret() {
      isToFail = true
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
  world.credentials = await world.addCredentials()
  world.accessToken = (await world.getToken()).body.access_token
  return world
}

export const formHeaders = { 'content-type': 'application/x-www-form-urlencoded' }

export function basicOf({ clientId, clientSecret }: ClientCredentials): string {
  return `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`
}

/** The native id of an endpoint. */
export function nativeIdOf(webhookEndpointId: string): string {
  return webhookEndpointId.replace('we_', 'ep_')
}
