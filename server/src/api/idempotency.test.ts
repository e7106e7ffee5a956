import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi, type TestApi, type TestProject } from '../../test/support/test-api.ts'
import { until } from '../../test/support/until.ts'
import { limits } from '../core/limits.ts'
import type { Transaction } from '../storage/storage.ts'

const event = { type: 'order.paid', data: { order: 7 } }

test('answers the same request again with the same status and body, and no second effect', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const publish = () => server.call('POST', `${project.path}/events`, keyed('once', event))
  const first = await publish()
  server.clock.advance(limits.idempotencyKeptMs - 1)
  const second = await publish()
  assert.equal(first.status, 202)
  assert.equal(first.headers['idempotent-replayed'], undefined)
  assert.equal(second.status, 202)
  assert.equal(second.text, first.text)
  assert.equal(second.headers['idempotent-replayed'], 'true')
  assert.equal(second.headers['content-type'], first.headers['content-type'])
  assert.equal(await countEvents(server, project), 1)
})

test('keeps an answer for 24 hours and no longer', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const publish = () => server.call('POST', `${project.path}/events`, keyed('once', event))
  const first = await publish()
  server.clock.advance(limits.idempotencyKeptMs)
  assert.notEqual((await publish()).body.id, first.body.id)
  assert.equal(await countEvents(server, project), 2)
})

test('answers a rotation again with the same secret, which is not stored in clear', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const endpoint = await server.call(
    'POST',
    `${project.path}/endpoints`,
    keyed('create', { url: 'https://a.example/' }),
  )
  const rotate = () =>
    server.call(
      'POST',
      `${project.path}/endpoints/${endpoint.body.id}/secret/rotate`,
      keyed('rotate', {}),
    )
  const first = await rotate()
  const second = await rotate()
  assert.equal(first.status, 200, first.text)
  assert.equal(second.text, first.text)
  assert.equal(second.headers['idempotent-replayed'], 'true')
  const secrets = await server.call('GET', `${project.path}/endpoints/${endpoint.body.id}/secrets`)
  assert.equal(secrets.body.data.length, 2, 'the first and one new')
})

test('seals the answers that hold a secret', async () => {
  const kept: { isSealed: boolean; text: string }[] = []
  await using server = await createTestApi({
    changeParts: ({ storage }) => ({
      storage: Object.create(storage, {
        transact: {
          value: <T>(work: (tx: Transaction) => Promise<T>) =>
            storage.transact((tx) =>
              work(
                Object.create(tx, {
                  insertIdempotentAnswer: {
                    value: (
                      ...[scope, answer]: Parameters<Transaction['insertIdempotentAnswer']>
                    ) => {
                      const text = Buffer.from(answer.body).toString('latin1')
                      kept.push({ isSealed: answer.isSealed, text })
                      return tx.insertIdempotentAnswer(scope, answer)
                    },
                  },
                }),
              ),
            ),
        },
      }),
    }),
  })
  const project = await server.addProject()
  const post = (path: string, body: object) =>
    server.call('POST', `${project.path}${path}`, keyed(path, body))
  const endpoint = await post('/endpoints', { url: 'https://a.example/' })
  const rotated = await post(`/endpoints/${endpoint.body.id}/secret/rotate`, {})
  const apiKey = await post('/api-keys', { name: 'n' })
  await post('/events', event)
  assert.deepEqual(
    kept.map(({ isSealed }) => isSealed),
    [true, true, true, false],
  )
  for (const secret of [endpoint.body.secret, rotated.body.secret, apiKey.body.key]) {
    assert.ok(secret.length > 20)
    assert.ok(kept.every(({ text }) => !text.includes(secret)))
  }
})

test('refuses another body under the same key, compared byte for byte', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const url = `${project.path}/events`
  await server.call('POST', url, keyed('once', event))
  for (const rawBody of [JSON.stringify({ ...event, id: 'x' }), JSON.stringify(event, null, 1)]) {
    const reply = await server.call('POST', url, {
      rawBody,
      headers: { 'idempotency-key': 'once' },
    })
    assert.equal(reply.status, 422)
    assert.equal(reply.body.code, 'idempotency_key_reused')
  }
  assert.equal(await countEvents(server, project), 1)
})

test('keeps answers apart by caller and by path', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const other = await server.addProject()
  const ids = new Set<string>()
  for (const [path, key] of [
    [project.path, undefined],
    [project.path, project.key],
    [other.path, undefined],
    [other.path, other.key],
  ] as const) {
    const options = key === undefined ? {} : { key }
    const reply = await server.call('POST', `${path}/events`, { ...keyed('k', event), ...options })
    assert.equal(reply.status, 202)
    ids.add(reply.body.id)
  }
  assert.equal(ids.size, 4)
})

test('both root keys are one caller, so that a retry survives their rotation', async () => {
  await using server = await createTestApi({ rootKeys: ['csk_new', 'csk_old'] })
  const create = (key: string) =>
    server.call('POST', '/v1/projects', { ...keyed('k', { name: 'n' }), key })
  assert.equal((await create('csk_old')).text, (await create('csk_new')).text)
})

test('takes a key of 1 to 255 characters', async () => {
  await using server = await createTestApi()
  const create = (key: string) => server.call('POST', '/v1/projects', keyed(key, { name: 'n' }))
  assert.equal((await create('k'.repeat(255))).status, 201)
  for (const key of ['', 'k'.repeat(256)]) {
    const reply = await create(key)
    assert.equal(reply.status, 422)
    assert.equal(reply.body.param, 'Idempotency-Key')
  }
})

test("keeps the action's own refusals", async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const path = `${project.path}/events`
  await server.call('POST', path, { body: { ...event, id: 'taken' } })
  const conflict = keyed('conflict', { ...event, id: 'taken', data: {} })
  const first = await server.call('POST', path, conflict)
  const second = await server.call('POST', path, conflict)
  assert.equal(first.status, 409)
  assert.equal(second.text, first.text)
  assert.equal(second.headers['idempotent-replayed'], 'true')
  assert.equal(second.headers['content-type'], 'application/problem+json; charset=utf-8')

  const missing = `${project.path}/deliveries/dlv_${'0'.repeat(32)}/retry`
  const notFound = await server.call('POST', missing, keyed('k', {}))
  assert.equal(notFound.status, 404)
  assert.equal((await server.call('POST', missing, keyed('k', {}))).text, notFound.text)
})

test('does not keep what was refused before the action, so that it can be put right', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const url = `${project.path}/events`
  const publish = (rawBody: string, key = project.key) =>
    server.call('POST', url, { key, rawBody, headers: { 'idempotency-key': 'k' } })
  assert.equal((await publish('{', project.key)).status, 400)
  assert.equal((await publish('{}', project.key)).status, 422)
  assert.equal((await publish(JSON.stringify(event), 'csk_wrong')).status, 401)
  assert.equal((await publish(JSON.stringify(event))).status, 202)
})

test('does not keep fields at fault that the action found, so that they can be put right', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const publish = (body: object) => server.call('POST', `${project.path}/events`, keyed('k', body))
  assert.equal((await publish({ ...event, type: 'a b' })).body.code, 'validation_failed')
  assert.equal((await publish(event)).status, 202)

  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  const endpoint = await server.call('POST', `${project.path}/endpoints`, {
    body: { url: 'https://a.example/', secret },
  })
  const rotate = (body: object) =>
    server.call(
      'POST',
      `${project.path}/endpoints/${endpoint.body.id}/secret/rotate`,
      keyed('r', body),
    )
  const refused = await rotate({ secret })
  assert.equal(refused.body.code, 'secret_reused', refused.text)
  assert.equal((await rotate({ secret })).headers['idempotent-replayed'], 'true')
  assert.equal((await rotate({})).body.code, 'idempotency_key_reused', 'other refusals stay')
})

test('does not keep that data was too large', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const publish = (length: number) =>
    server.call(
      'POST',
      `${project.path}/events`,
      keyed('k', { type: 'a', data: { x: 'x'.repeat(length) } }),
    )
  assert.equal((await publish(limits.dataBytesMax)).status, 413)
  assert.equal((await publish(1)).status, 202)
})

test('keeps nothing of a failure, so that the next try has its effect', async () => {
  let isBroken = true
  await using server = await createTestApi({
    changeParts: ({ storage }) => ({
      storage: Object.create(storage, {
        transact: {
          value: <T>(work: (tx: Transaction) => Promise<T>) =>
            storage.transact(async (tx) => {
              const result = await work(tx)
              if (isBroken) throw new Error('lost before the commit')
              return result
            }),
        },
      }),
    }),
  })
  const create = () => server.call('POST', '/v1/projects', keyed('k', { name: 'n' }))
  assert.equal((await create()).status, 500)
  assert.equal((await server.call('GET', '/v1/projects')).body.data.length, 0)
  isBroken = false
  const created = await create()
  assert.equal(created.status, 201)
  assert.equal(created.headers['idempotent-replayed'], undefined)
  assert.equal((await create()).text, created.text)
})

test('lets concurrent twins wait and answers all of them with the one effect', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const replies = await Promise.all(
    Array.from({ length: 20 }, () =>
      server.call('POST', `${project.path}/events`, keyed('once', event)),
    ),
  )
  assert.deepEqual([...new Set(replies.map(({ status }) => status))], [202])
  assert.equal(new Set(replies.map(({ text }) => text)).size, 1)
  const replayed = replies.filter(({ headers }) => headers['idempotent-replayed'] === 'true')
  assert.equal(replayed.length, 19)
  assert.equal(await countEvents(server, project), 1)
})

test('lets one twin act when the first one failed, and the others have its answer', async () => {
  const gate = Promise.withResolvers<void>()
  let calls = 0
  await using server = await createTestApi({
    changeParts: ({ storage }) => ({
      storage: Object.create(storage, {
        transact: {
          async value<T>(work: (tx: Transaction) => Promise<T>) {
            calls += 1
            if (calls > 1) return storage.transact(work)
            await gate.promise
            throw new Error('the first one fails')
          },
        },
      }),
    }),
  })
  let looked = 0
  server.api.app.addHook('onRequest', (_request, _reply, done) => {
    looked += 1
    done()
  })
  const create = () => server.call('POST', '/v1/projects', keyed('k', { name: 'n' }))
  const first = create()
  await until('the first one is in its transaction', () => calls === 1)
  const twins = Promise.all(Array.from({ length: 5 }, create))
  await until('the twins have come in', () => looked === 6)
  gate.resolve()
  assert.equal((await first).status, 500)
  const replies = await twins
  assert.deepEqual([...new Set(replies.map(({ status }) => status))], [201])
  assert.equal(new Set(replies.map(({ text }) => text)).size, 1)
  assert.equal(calls, 2, 'one failed, one acted, nobody else tried')
})

test('answers 409 to a twin whose wait ends before the first one does', async () => {
  const gate = Promise.withResolvers<void>()
  let isIn = false
  await using server = await createTestApi({
    idempotencyWaitMs: 20,
    changeParts: ({ storage }) => ({
      storage: Object.create(storage, {
        transact: {
          async value<T>(work: (tx: Transaction) => Promise<T>) {
            isIn = true
            await gate.promise
            return storage.transact(work)
          },
        },
      }),
    }),
  })
  const create = () => server.call('POST', '/v1/projects', keyed('k', { name: 'n' }))
  const first = create()
  await until('the first one is in its transaction', () => isIn)
  const second = await create()
  assert.equal(second.status, 409)
  assert.equal(second.body.code, 'idempotency_in_flight')
  gate.resolve()
  assert.equal((await first).status, 201)
  assert.equal((await create()).text, (await first).text)
})

test('answers what another node kept first, and has no effect of its own', async () => {
  let isBlind = false
  await using server = await createTestApi({
    changeParts: ({ storage }) => ({
      storage: Object.create(storage, {
        // As on another node that looked before the first one committed.
        findIdempotentAnswer: {
          async value(scope: string, now: number) {
            if (!isBlind) return storage.findIdempotentAnswer(scope, now)
            isBlind = false
            return null
          },
        },
      }),
    }),
  })
  const project = await server.addProject()
  const publish = () => server.call('POST', `${project.path}/events`, keyed('k', event))
  const first = await publish()
  isBlind = true
  const second = await publish()
  assert.equal(second.text, first.text)
  assert.equal(second.headers['idempotent-replayed'], 'true')
  assert.equal(await countEvents(server, project), 1)
  // The same for a refusal, which has a transaction of its own.
  const missing = `${project.path}/deliveries/none/retry`
  const refused = await server.call('POST', missing, keyed('k', {}))
  isBlind = true
  assert.equal((await server.call('POST', missing, keyed('k', {}))).text, refused.text)
})

test('ignores the header on other methods', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const change = (name: string) => server.call('PATCH', project.path, keyed('k', { name }))
  assert.equal((await change('a')).body.name, 'a')
  assert.equal((await change('b')).body.name, 'b')
})

function keyed(key: string, body: object) {
  return { body, headers: { 'idempotency-key': key } }
}

async function countEvents(server: TestApi, project: TestProject): Promise<number> {
  const { body } = await server.call('GET', `${project.path}/events`)
  return body.data.length
}
