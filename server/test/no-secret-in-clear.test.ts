import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { generateEd25519Secret } from '../src/formats/ed25519.ts'
import { findInClear, type Hidden } from './support/find-in-clear.ts'
import { type Receiver, startReceiver } from './support/receiver.ts'
import { startServerProcess } from './support/start-server-process.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { isOnPostgres } from './support/test-database.ts'
import { until } from './support/until.ts'
import { createWireClient, type Wire, type WireClient, type WireRequest } from './support/wire.ts'

const newSecret = (bytes = 32) => `whsec_${randomBytes(bytes).toString('base64')}`
const newToken = () => `token-${randomBytes(15).toString('hex')}`

/**
 * Proof 8: a busy run, and then a search of everything that the server keeps, logs and answers.
 * What must not be found is collected on the way: keys, secrets, and the values of custom headers,
 * also those that came in requests which were refused.
 */
describe('no secret stands anywhere in clear (proof 8)', () => {
  let server: TestApp
  let receiver: Receiver
  let call: WireClient
  let project: string
  const hidden: Hidden[] = []
  const hide = (what: string, value: string): string => {
    hidden.push({ what, value })
    return value
  }
  /** The seed alone is the private key already, so it is hidden by itself as well. */
  const hidePrivateKey = (what: string): string => {
    const text = hide(
      what,
      generateEd25519Secret((size) => randomBytes(size)),
    )
    const seed = Buffer.from(text.slice('whsk_'.length), 'base64').subarray(0, 32)
    hide(`the seed of ${what}`, seed.toString('base64'))
    return text
  }

  before(async () => {
    // Beside a database the key is always given, else the server makes its own.
    const given = isOnPostgres ? randomBytes(32).toString('base64') : null
    server = await startTestApp({
      environment: {
        COUNTERSIGN_RETRY_SCHEDULE: '20ms,20ms',
        COUNTERSIGN_LOG_LEVEL: 'trace',
        ...(given === null ? {} : { COUNTERSIGN_MASTER_KEYS: given }),
      },
    })
    receiver = await startReceiver()
    receiver.answer = echoing()
    call = createWireClient({ url: () => server.app.url, key: () => server.rootKey })
    hide('the root key', server.rootKey)
    const masterKey = given ?? (await readFile(join(server.dataDir, 'master-key'), 'utf8'))
    hide('the master key', masterKey.trim())
    project = (await call<Wire.Project>('POST', '/projects', { body: { name: 'p' } })).body.id
    await runBusily()
    await sendBadRequests()
  })
  after(async () => {
    await receiver.close()
    await server.dispose()
  })

  const path = () => `/projects/${project}`
  const create = async (body: object, idempotencyKey?: string) => {
    const request = { body: { url: receiver.url, ...body }, ...keyed(idempotencyKey) }
    const { status, body: created } = await call<Wire.CreatedEndpoint>(
      'POST',
      `${path()}/endpoints`,
      request,
    )
    assert.equal(status, 201)
    hide('the secret of a new endpoint', created.secret ?? assert.fail())
    return `${path()}/endpoints/${created.id}`
  }
  const rotate = async (endpoint: string, body: object, idempotencyKey?: string) => {
    const request = { body, ...keyed(idempotencyKey) }
    const answer = await call<Wire.RotatedSecret>('POST', `${endpoint}/secret/rotate`, request)
    assert.equal(answer.status, 200, answer.text)
    hide('a rotated secret', answer.body.secret ?? assert.fail())
    return answer.body
  }

  /** What an ordinary day brings: everything that takes or makes a secret, and failures. */
  const runBusily = async () => {
    const { body: key } = await call<Wire.CreatedApiKey>('POST', `${path()}/api-keys`, {
      body: { name: 'a key' },
      idempotencyKey: 'key',
    })
    hide('an API key', key.key)
    await call('POST', `${path()}/api-keys`, { body: { name: 'a key' }, idempotencyKey: 'key' })
    const header = (value = newToken()) => ({ 'x-token': hide('a custom header value', value) })
    const plain = await create({ headers: header() }, 'plain')
    const supplied = await create({ secret: newSecret(24), headers: header(`B ${newToken()}`) })
    const failing = await create({ headers: { ...header(), 'x-fail': '1' } })
    for (let n = 0; n < 3; n++) {
      const open = await rotate(plain, { force: true }, `r-${n}`)
      await rotate(plain, { force: true }, `r-${n}`)
      await call('PATCH', `${plain}/rotations/${open.rotation.id}`, {
        body: { expire_current_in: 60 + n },
      })
      await call('PATCH', supplied, { body: { headers: header() } })
      await publish()
    }
    const own = newSecret()
    await rotate(supplied, { secret: own, reason: 'a supplied one' }, 'own')
    await rotate(supplied, { expire_current_in: 0, force: true })
    await rotateKeyPair()
    const activate_at = new Date(server.clock.now() + 3_600_000).toISOString()
    const staged = await rotate(supplied, { activate_at })
    await call('POST', `${supplied}/rotations/${staged.rotation.id}/cancel`, keyed('cancel'))
    await call('POST', `${plain}/secret/revoke-previous`, keyed('revoke'))
    for (const endpoint of [plain, failing]) await call('POST', `${endpoint}/test`, { body: {} })
    await publish()
    const gone = await create({ headers: header() })
    await call('DELETE', gone)
    await server.restart()
    await rotate(plain, { expire_current_in: 0, force: true }, 'after')
    await publish()
  }
  /** Of a key pair only the public half is answered, so the private one has to be a given one. */
  const rotateKeyPair = async () => {
    const secret = () => hidePrivateKey('a private key')
    const { body } = await call<Wire.CreatedEndpoint>('POST', `${path()}/endpoints`, {
      body: { url: receiver.url, algorithm: 'ed25519', secret: secret() },
      ...keyed('pair'),
    })
    const cut = { expire_current_in: 0, force: true, secret: secret() }
    const rotated = await call('POST', `${path()}/endpoints/${body.id}/secret/rotate`, {
      body: cut,
      ...keyed('pair-cut'),
    })
    assert.equal(rotated.status, 200, rotated.text)
    assert.match(rotated.text, /whpk_/)
  }
  const publish = async () => {
    const { body } = await call<Wire.PublishedEvent>('POST', `${path()}/events`, {
      body: { type: 'a.b', data: { n: 1 } },
    })
    await until('every attempt is made', async () => {
      const { data } = (
        await call<{ data: Wire.Delivery[] }>('GET', `${path()}/deliveries?event=${body.id}`)
      ).body
      return data.length > 0 && data.every(({ status }) => status !== 'pending')
    })
  }

  /** Secrets where none belongs: each with and without an Idempotency-Key, which keeps refusals. */
  const sendBadRequests = async () => {
    const endpoint = await create({})
    const { rotation } = await rotate(endpoint, {})
    let at = 0
    const secret = () => hide(`a secret in bad request ${at}`, newSecret())
    const privateKey = () => hidePrivateKey(`a private key in bad request ${at}`)
    const token = () => hide(`a header value in bad request ${at}`, newToken())
    const wrongKey = () =>
      hide(`a key in bad request ${at}`, `csk_${randomBytes(24).toString('base64url')}`)
    const requests: (() => [method: string, path: string, request: WireRequest])[] = [
      () => ['POST', `${endpoint}/secret/rotate`, { body: { secret: `${secret()}=` } }],
      () => ['POST', `${endpoint}/secret/rotate`, { body: { secret: secret().slice(6) } }],
      () => [
        'POST',
        `${endpoint}/secret/rotate`,
        { body: { algorithm: 'ed25519', force: true, secret: `${privateKey()}=` } },
      ],
      () => ['POST', `${endpoint}/secret/rotate`, { body: { secret: secret() } }],
      () => ['POST', `${endpoint}/secret/rotate`, { body: { [secret()]: true } }],
      () => ['POST', `${endpoint}/secret/rotate`, { body: { reason: [secret()] } }],
      () => [
        'POST',
        `${endpoint}/secret/rotate`,
        { body: { expected_current_secret_id: secret(), force: true } },
      ],
      () => ['POST', `${endpoint}/secret/rotate`, { text: `{"secret":"${secret()}"` }],
      () => [
        'POST',
        `${endpoint}/secret/rotate`,
        { text: `{"${secret().slice(0, 40)}":1,"secret":"${secret()}","secret":"${secret()}"}` },
      ],
      () => ['POST', `${path()}/endpoints/${encodeURIComponent(secret())}/secret/rotate`, {}],
      () => ['POST', `${endpoint}/rotations/${encodeURIComponent(secret())}/complete`, {}],
      () => ['POST', `/projects/${encodeURIComponent(secret())}/endpoints`, { body: {} }],
      () => ['POST', `${path()}/deliveries/${encodeURIComponent(secret())}/retry`, {}],
      () => ['POST', `/${encodeURIComponent(secret())}`, {}],
      () => ['PATCH', endpoint, { body: { uid: secret() } }],
      () => ['PATCH', endpoint, { body: { secret: secret() } }],
      () => ['PATCH', `${endpoint}/rotations/${rotation.id}`, { body: { [secret()]: 1 } }],
      () => ['GET', `${path()}/endpoints?cursor=${encodeURIComponent(secret())}`, {}],
      () => ['GET', `${path()}/endpoints?state=${encodeURIComponent(secret())}`, {}],
      () => ['GET', `${path()}/endpoints?${encodeURIComponent(secret())}=1`, {}],
      () => [
        'POST',
        `${path()}/endpoints`,
        { body: { url: receiver.url, headers: { 'x-a': `${token()}\n` } } },
      ],
      () => [
        'POST',
        `${path()}/endpoints`,
        { body: { url: receiver.url, headers: { [secret()]: token() } } },
      ],
      () => ['POST', `${path()}/endpoints`, { body: { url: secret(), headers: token() } }],
      () => ['POST', `${path()}/endpoints`, { body: { url: `ftp://${token()}@x/` } }],
      () => ['POST', `${path()}/endpoints`, { body: { url: receiver.url, uid: secret() } }],
      () => ['POST', `${path()}/endpoints`, { body: { url: receiver.url, format: secret() } }],
      () => ['POST', `${path()}/events`, { body: { type: secret(), data: {} } }],
      () => ['GET', path(), { headers: { authorization: `Bearer ${wrongKey()}` } }],
      () => ['GET', path(), { headers: { authorization: wrongKey() } }],
      () => ['GET', `${path()}?api_key=${wrongKey()}`, {}],
    ]
    for (const make of requests) {
      at++
      for (const key of [undefined, `bad-${at}`]) {
        const [method, target, request] = make()
        await call(method, target, { ...request, ...keyed(key) })
      }
    }
  }

  const assertHidden = (places: ReadonlyMap<string, Buffer | string>) => {
    for (const [place, content] of places) assert.ok(content.length > 0, `${place} is not empty`)
    assert.deepEqual(findInClear(hidden, places), [])
  }

  test('there was something to hide, and a search finds what is not hidden', () => {
    assert.ok(hidden.length > 70, `${hidden.length} values`)
    const told = hidden.map(({ value }) => value).join(' ')
    assert.ok(findInClear(hidden, new Map([['here', told]])).length >= hidden.length)
    const [, masterKey] = hidden
    assert.ok(masterKey)
    const bytes = Buffer.from(masterKey.value, 'base64')
    for (const form of [bytes, bytes.toString('hex'), bytes.toString('base64url')]) {
      assert.ok(findInClear([masterKey], new Map([['here', form]])).length > 0)
    }
  })

  test('not in what any read answers', async () => {
    const places = await crawl(call, path())
    for (const part of [
      '/rotations/rot_',
      '/secrets',
      '/deliveries/dlv_',
      '/audit-log',
      'metrics',
    ]) {
      assert.ok(
        [...places.keys()].some((place) => place.includes(part)),
        `${part} was read`,
      )
    }
    assertHidden(places)
  })

  test('not in what was logged', () => {
    // With its keys given and nothing amiss a server has nothing to say.
    assert.ok(isOnPostgres || server.logLines.length > 0)
    assert.deepEqual(findInClear(hidden, new Map([['the log', server.logLines.join('')]])), [])
  })

  test('not in the files or the tables of the store: running, and stopped', async () => {
    const searched = async () => {
      const places = await server.store.contents()
      assertHidden(new Map([...places].filter(([, content]) => content.length > 0)))
      return places
    }
    const running = await searched()
    const sealed = isOnPostgres ? 'table idempotent_answers' : 'countersign.db-wal'
    assert.ok(running.get(sealed)?.length, 'sealed answers, or the log of writes, are read too')
    const open = isOnPostgres ? 'table events' : 'countersign.db'
    assert.ok(
      running.get(open)?.includes('endpoint.secret.rotated'),
      'a search finds what is there',
    )
    await server.app.stop(5_000)
    await searched()
  })
})

test('a process prints no key that its environment holds, killed or not', async (t) => {
  const masterKey = randomBytes(32).toString('base64')
  const server = await startServerProcess({
    COUNTERSIGN_MASTER_KEYS: `${masterKey},${randomBytes(32).toString('base64')}`,
    COUNTERSIGN_LOG_LEVEL: 'trace',
  })
  t.after(() => server.dispose())
  const hidden = [
    { what: 'the master key', value: masterKey },
    { what: 'the root key', value: server.rootKey },
  ]
  const { id } = await server.client.projects.create({ name: 'p' })
  const url = 'http://127.0.0.1:9/'
  const endpoint = await server.client.endpoints.create(id, { url })
  const { secret } = await server.client.endpoints.rotateSecret(id, endpoint.id)
  hidden.push({ what: 'a secret', value: endpoint.secret }, { what: 'a secret', value: secret })
  await server.client.events.publish(id, { type: 'a.b', data: {} })
  await server.kill()
  await server.start()
  await server.terminate()
  const places = new Map<string, Buffer | string>(await server.store.contents())
  places.set('the output', server.output())
  assert.match(server.output(), /Listening/)
  assert.deepEqual(findInClear(hidden, places), [])
})

function keyed(idempotencyKey: string | undefined): { idempotencyKey?: string } {
  return idempotencyKey === undefined ? {} : { idempotencyKey }
}

/** Answers as a service for trying things out does: with all that it was sent. */
function echoing(): Receiver['answer'] {
  return ({ headers, body }) => ({
    statusCode: headers['x-fail'] === undefined ? 200 : 500,
    headers: { 'x-you-sent': String(headers['x-token']) },
    body: JSON.stringify({ headers, body }),
  })
}

/** Reads everything that can be read, following lists to their items. */
async function crawl(call: WireClient, project: string): Promise<Map<string, string>> {
  const answers = new Map<string, string>()
  const read = async (path: string) => {
    const answer = await call<unknown>('GET', path)
    assert.equal(answer.status, 200, path)
    answers.set(path, answer.text)
    return answer.body
  }
  const list = async (path: string) => {
    const items: { id: string }[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query: string = cursor === '' ? '?limit=100' : `?limit=100&cursor=${cursor}`
      const page = (await read(path + query)) as { data: { id: string }[]; next_cursor: string }
      items.push(...page.data)
      cursor = page.next_cursor
    }
    return items
  }
  for (const path of ['//metrics', '//openapi.json', '//docs/', '//docs/errors', '//readyz']) {
    await read(path)
  }
  await list('/projects')
  await read(project)
  await list(`${project}/api-keys`)
  await list(`${project}/audit-log`)
  for (const kind of ['events', 'deliveries', 'endpoints']) {
    for (const { id } of await list(`${project}/${kind}`)) await read(`${project}/${kind}/${id}`)
  }
  for (const { id } of await list(`${project}/endpoints`)) {
    await list(`${project}/endpoints/${id}/secrets`)
    const rotations = `${project}/endpoints/${id}/rotations`
    for (const rotation of await list(rotations)) await read(`${rotations}/${rotation.id}`)
  }
  return answers
}
