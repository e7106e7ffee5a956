import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi, type Reply } from '../../test/support/test-api.ts'
import { readAccessToken } from '../core/access-token.ts'
import { systemPrincipal } from '../core/authorization.ts'
import { AppError } from '../core/errors.ts'
import type { ActionContext, ActionParts } from './action-context.ts'
import { issueAccessToken } from './issue-access-token.ts'

/** A project with client credentials, and the action on the store that holds them. */
async function setUp() {
  let context: ActionContext | undefined
  const server = await createTestApi({
    changeParts(parts) {
      context = contextOf(parts)
      return {}
    },
  })
  assert.ok(context)
  const { path } = await server.addProject()
  const { body } = await server.call('POST', `${path}/api-keys`, {
    body: { name: 'app', dialect: 'dinie', expires_at: '2026-11-02T10:00:00Z' },
  })
  return {
    server,
    context,
    path,
    made: body as { id: string; client_id: string; client_secret: string },
    issue: issueAccessToken.bind(null, context),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

function contextOf(parts: ActionParts): ActionContext {
  return {
    ...parts,
    principal: systemPrincipal,
    requestId: null,
    sourceAddress: null,
    transact: (work) => parts.storage.transact(work),
    keepsAnswer: false,
  }
}

function credentialsOf({ client_id: clientId, client_secret: clientSecret }: Reply['body']) {
  return { clientId, clientSecret }
}

const oneSentence = 'The client id and client secret are not those of a live key.'

function isRefusal(error: unknown): boolean {
  assert.ok(error instanceof AppError)
  assert.equal(error.code, 'unauthorized')
  assert.equal(error.details.detail, oneSentence)
  return true
}

test('client credentials become a token of an hour that stands for their key', async () => {
  await using world = await setUp()
  const issued = await world.issue(credentialsOf(world.made))
  assert.equal(issued.expiresInSeconds, 3600)
  assert.equal(issued.apiKey.id, world.made.id)
  assert.deepEqual(readAccessToken(world.context.secretBox, issued.accessToken), {
    keyId: world.made.id,
    expiresAt: world.server.clock.now() + 3_600_000,
  })
})

test('refuses every other pair in one and the same sentence', async () => {
  await using world = await setUp()
  const { server, path, made } = world
  const other = await server.call('POST', `${path}/api-keys`, {
    body: { name: 'another app', dialect: 'dinie' },
  })
  const native = await server.call('POST', `${path}/api-keys`, { body: { name: 'native' } })
  const right = credentialsOf(made)
  for (const wrong of [
    { ...right, clientSecret: other.body.client_secret },
    { ...right, clientSecret: native.body.key },
    { ...right, clientSecret: `${right.clientSecret}x` },
    { ...right, clientSecret: '' },
    { ...right, clientId: 'dinie_ci_00000000000000000000000000000000' },
    { ...right, clientId: '' },
    { clientId: native.body.id, clientSecret: native.body.key },
  ]) {
    await assert.rejects(world.issue(wrong), isRefusal)
  }
  await world.issue(right)
})

test('refuses credentials whose key is revoked or expired', async () => {
  await using world = await setUp()
  const { server, path, made } = world
  const other = await server.call('POST', `${path}/api-keys`, {
    body: { name: 'another app', dialect: 'dinie' },
  })
  await world.issue(credentialsOf(other.body))
  await server.call('DELETE', `${path}/api-keys/${other.body.id}`)
  await assert.rejects(world.issue(credentialsOf(other.body)), isRefusal)

  server.clock.advance(86_400_000 - 1)
  await world.issue(credentialsOf(made))
  server.clock.advance(1)
  await assert.rejects(world.issue(credentialsOf(made)), isRefusal)
})

test('takes the earlier secret of a rotated key for as long as it works', async () => {
  await using world = await setUp()
  const { server, path, made } = world
  const rotated = await server.call('POST', `${path}/api-keys/${made.id}/rotate`, {
    body: { expire_current_in: 60 },
  })
  server.clock.advance(59_999)
  await world.issue(credentialsOf(made))
  await world.issue(credentialsOf(rotated.body))
  server.clock.advance(1)
  await assert.rejects(world.issue(credentialsOf(made)), isRefusal)
  await world.issue(credentialsOf(rotated.body))
})
