import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { ActionParts } from '../../src/actions/action-context.ts'
import { createEventTypeDirectory } from '../../src/actions/effective-event-type.ts'
import { openApiDocument } from '../../src/api/openapi.ts'
import { type Api, type ApiOptions, createApi } from '../../src/api/server.ts'
import { parseTime } from '../../src/api/wire/time.ts'
import type { Scope } from '../../src/core/authorization.ts'
import type { Clock } from '../../src/core/clock.ts'
import { createIdFactory } from '../../src/core/ids.ts'
import { limits } from '../../src/core/limits.ts'
import { createProbeLimiter } from '../../src/core/probe-limiter.ts'
import { createRotationOrder } from '../../src/core/rotation-order.ts'
import { createSecretBox } from '../../src/core/secret-box.ts'
import { dialectApis } from '../../src/dialects/registry.ts'
import { createEventSchemaChecker } from '../../src/event-schema-checker.ts'
import { createRandom } from '../../src/random.ts'
import { openPostgresStorage } from '../../src/storage/postgres/open.ts'
import { openSqliteStorage } from '../../src/storage/sqlite/open.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { createTestDatabase } from './test-database.ts'

export const rootKey = 'csk_root-key-of-the-tests-0123456789abcdef'

/** The native API in this process on a real store, with a clock that only the test moves. */
export interface TestApi {
  api: Api
  storage: Storage
  /** Milliseconds by which time has moved since the start. */
  clock: Clock & { advance(ms: number): void }
  /** What was logged as an error, with its fields. */
  logged: { fields: object; message: string }[]
  /** Sends a request as it is, to any API. */
  send(method: Method, url: string, options?: SendOptions): Promise<Reply>
  /** Sends a request to the native API and holds the answer against the OpenAPI document. */
  call(method: Method, url: string, options?: CallOptions): Promise<Reply>
  /** A new project, with a key of these scopes (all but `keys.write` by default). */
  addProject(options?: { uid?: string; scopes?: Scope[] }): Promise<TestProject>
  [Symbol.asyncDispose](): Promise<void>
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS'

export interface CallOptions extends SendOptions {
  /** The root key by default; null: none. */
  key?: string | null
}

export interface SendOptions {
  /** Sent as JSON. */
  body?: unknown
  /** Sent as it is. */
  rawBody?: string | Uint8Array
  headers?: Record<string, string>
}

export interface Reply {
  status: number
  headers: Record<string, unknown>
  text: string
  /** As it came, where it ended. */
  bytes: Buffer
  /** The parsed body; an empty object where there is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look at answers of every shape.
  body: any
}

export interface TestProject {
  id: string
  uid: string | null
  key: string
  path: string
}

export async function createTestApi(
  options: Partial<ApiOptions> & {
    parts?: never
    wrapStorage?: (storage: Storage) => Storage
    changeParts?: (parts: ActionParts) => Partial<ActionParts>
  } = {},
): Promise<TestApi> {
  const { wrapStorage, changeParts, ...apiOptions } = options
  const directory = await mkdtemp(join(tmpdir(), 'countersign-api-'))
  const clock = createHandClock()
  const random = createRandom()
  const newId = createIdFactory({ now: clock.now, randomBytes: random.bytes })
  const database = await createTestDatabase()
  const common = { clock, newId, leaseMs: 30_000 }
  const opened =
    database === null
      ? await openSqliteStorage({
          file: join(directory, 'test.db'),
          checkpointThread: false,
          ...common,
        })
      : await openPostgresStorage({
          url: database.url,
          cacheTtlMs: 0,
          storeTime: clock.now,
          ...common,
        })
  const storage = wrapStorage?.(opened) ?? opened
  const logged: TestApi['logged'] = []
  const log = (fields: object, message: string) => void logged.push({ fields, message })
  const eventSchemas = createEventSchemaChecker({ monotonic: () => performance.now() })
  const base = { storage, clock, newId, randomBytes: random.bytes, eventSchemas }
  const parts = createParts(base)
  const api = createApi({
    parts: { ...parts, ...changeParts?.(parts) },
    rootKeys: [rootKey],
    publicUrl: null,
    logger: { error: log, warn: log },
    metrics: { contentType: 'text/plain; version=0.0.4', render: async () => 'up 1\n' },
    consoleDirectory: null,
    dialects: dialectApis(),
    rateLimit: { perSecond: 1_000, burst: 10_000 },
    ...apiOptions,
  })
  opened.connect({
    onCommitted(changes) {
      api.forgetApiKeys(changes)
      parts.eventTypes.forget(changes)
    },
  })
  const send = senderOf(api)
  const call = callerOf(send)
  return {
    api,
    storage,
    clock,
    logged,
    send,
    call,
    addProject: (project) => addProject(call, project),
    async [Symbol.asyncDispose]() {
      await api.close(1_000)
      await eventSchemas.stop()
      await opened.close()
      await database?.drop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Starts at a round time and moves only by hand. */
function createHandClock(): TestApi['clock'] {
  let passed = 0
  return {
    now: () => Date.UTC(2026, 10, 1, 10) + passed,
    monotonic: () => passed,
    advance(ms) {
      passed += ms
    },
  }
}

function createParts(
  base: Pick<ActionParts, 'storage' | 'clock' | 'newId' | 'randomBytes' | 'eventSchemas'>,
): ActionParts {
  return {
    ...base,
    secretBox: createSecretBox({
      masterKeys: [base.randomBytes(32)],
      randomBytes: base.randomBytes,
    }),
    settings: {
      dataBytesMax: limits.dataBytesMax,
      endpointsPerProjectMax: limits.endpointsPerProjectMax,
      expireCurrentInMinSeconds: 0,
      expireCurrentInMaxSeconds: limits.expireCurrentInMaxSeconds,
      blockAfterMs: 432_000_000,
      rotationCapMs: 30 * 86_400_000,
      secretPolicy: {
        maxAgeDays: null,
        action: 'notify',
        expireCurrentInSeconds: 86_400,
        completeWhen: 'expiry',
      },
      publicUrl: 'https://hooks.example',
      retentionDays: 90,
    },
    noteAccepted: () => {},
    wakeRecoveries: () => {},
    eventTypes: createEventTypeDirectory({ ...base, typesMax: 100 }),
    urlPolicy: {
      problemOf: (url) => (url.startsWith('https://') ? null : 'Must be an https address.'),
      addressProblemOf: async () => null,
    },
    attemptNow: async () => ({ succeeded: true, statusCode: 204, error: null, durationMs: 3.5 }),
    probe: async () => ({ at: base.clock.now(), statusCode: 204, error: null, durationMs: 3.5 }),
    probeLimiter: createProbeLimiter(base.clock),
    rotationOrder: createRotationOrder({ pause: async () => {} }),
  }
}

function callerOf(send: TestApi['send']): TestApi['call'] {
  return async (method, url, { key = rootKey, headers, ...rest } = {}) => {
    const credential = key === null ? {} : { authorization: `Bearer ${key}` }
    const reply = await send(method, url, { ...rest, headers: { ...credential, ...headers } })
    holdAgainstContract(method, url, reply)
    return reply
  }
}

function senderOf(api: Api): TestApi['send'] {
  return async (method, url, { body, rawBody, headers = {} } = {}) => {
    const payload = rawBody ?? (body === undefined ? undefined : JSON.stringify(body))
    // Of what never ends, the beginning is taken.
    const isEndless = /\/stream(?:$|\?)/.test(url)
    const response = await api.app.inject({
      method,
      url,
      payloadAsStream: isEndless,
      headers: {
        ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(payload === undefined ? {} : { payload: payload as string }),
    })
    const type = String(response.headers['content-type'] ?? '')
    const text = isEndless ? await beginningOf(response.stream(), type) : response.payload
    const bytes = isEndless ? Buffer.from(text) : response.rawPayload
    const parsed = /json/.test(type) && text !== '' ? JSON.parse(text) : {}
    return { status: response.statusCode, headers: response.headers, text, bytes, body: parsed }
  }
}

async function beginningOf(stream: Readable, type: string): Promise<string> {
  let text = ''
  for await (const chunk of stream) {
    text += chunk
    if (type === 'text/event-stream') break
  }
  return text
}

async function addProject(
  call: TestApi['call'],
  { uid, scopes }: { uid?: string; scopes?: Scope[] } = {},
): Promise<TestProject> {
  const project = await call('POST', '/v1/projects', {
    body: { name: 'A project', ...(uid === undefined ? {} : { uid }) },
  })
  assert.equal(project.status, 201, project.text)
  const path = `/v1/projects/${project.body.id}`
  const key = await call('POST', `${path}/api-keys`, {
    body: { name: 'A key', ...(scopes === undefined ? {} : { scopes }) },
  })
  assert.equal(key.status, 201, key.text)
  return { id: project.body.id, uid: uid ?? null, key: key.body.key, path }
}

const document = openApiDocument({ publicUrl: null })
const ajv = new Ajv2020({ allowUnionTypes: true, strict: false })
ajv.addFormat('date-time', (text: string) => parseTime(text) !== null)
ajv.addSchema({ ...document, $id: 'document' })

/** Every answer has a documented status and body, and every header that every answer has. */
function holdAgainstContract(method: Method, url: string, reply: Reply): void {
  assert.match(String(reply.headers['x-request-id']), /^req_[0-9a-f]{24,}$/)
  if (reply.status >= 400 && method !== 'HEAD') {
    assert.equal(reply.headers['content-type'], 'application/problem+json; charset=utf-8')
    holdAgainst('/components/schemas/Problem', reply.body)
    assert.equal(reply.body.status, reply.status)
  }
  const path = url.replace(/\?.*/, '')
  const template = Object.keys(document.paths).find((candidate) =>
    new RegExp(`^${candidate.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path),
  )
  if (template === undefined) return
  const operation = document.paths[template]?.[method.toLowerCase()] as
    | { responses: Record<string, { content?: object }> }
    | undefined
  if (operation === undefined) return
  const documented = operation.responses[reply.status]
  assert.ok(documented, `${method} ${template} answers ${reply.status}: ${reply.text}`)
  if (documented.content === undefined) {
    assert.equal(reply.text, '')
    return
  }
  const [type = ''] = Object.keys(documented.content)
  if (!type.includes('json')) return
  holdAgainst(
    ['paths', template, method.toLowerCase(), 'responses', reply.status, 'content', type, 'schema']
      .map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`)
      .join(''),
    reply.body,
  )
}

function holdAgainst(pointer: string, value: unknown): void {
  const reference = `document#${encodeURI(pointer)}`
  const validate = ajv.getSchema(reference) ?? ajv.compile({ $ref: reference })
  assert.ok(validate(value), `${pointer}: ${ajv.errorsText(validate.errors)}`)
}
