import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import {
  checkContext,
  createSecretBox,
  headersContext,
  idempotencyContext,
  secretContext,
} from '../src/core/secret-box.ts'
import { checkInvariants } from './support/check-invariants.ts'
import { type Publisher, startPublisher } from './support/publisher.ts'
import { startReceiver } from './support/receiver.ts'
import { runCommand } from './support/run-command.ts'
import { type ServerProcess, startServerProcess } from './support/start-server-process.ts'
import { sqliteStore } from './support/test-store.ts'
import { until } from './support/until.ts'

const backupsMax = process.env.COUNTERSIGN_TEST_LONG ? 10 : 2
const endpointsMax = 3
const headerValue = 'a-value-that-is-sealed'

/** Endpoints whose secrets rotate one after the other, without a pause. */
async function startRotating(server: ServerProcess, project: string, url: string) {
  /** Secrets that the server has answered, by endpoint, the newest last. */
  const answered = new Map<string, string[]>()
  for (let count = 0; count < endpointsMax; count += 1) {
    const headers = { 'X-Token': headerValue }
    const { id, secret } = await server.client.endpoints.create(project, { url, headers })
    answered.set(id, [secret])
  }
  const abort = new AbortController()
  const rotating = (async () => {
    while (!abort.signal.aborted) {
      for (const [id, secrets] of answered) {
        const rotation = { expireCurrentIn: 3_600, force: true }
        secrets.push((await server.client.endpoints.rotateSecret(project, id, rotation)).secret)
      }
    }
  })()
  return {
    answered,
    count: () => [...answered.values()].reduce((sum, { length }) => sum + length, 0),
    async stop() {
      abort.abort()
      await rotating
    },
  }
}

type Rotating = Awaited<ReturnType<typeof startRotating>>

/** A backup, and what had been answered when it began. */
interface Taken {
  file: string
  acceptedIds: string[]
  answered: Map<string, string[]>
}

async function takeBackup(
  file: string,
  server: ServerProcess,
  publisher: Publisher,
  rotating: Rotating,
): Promise<Taken> {
  const acceptedIds = [...publisher.acceptedIds]
  const answered = new Map([...rotating.answered].map(([id, secrets]) => [id, [...secrets]]))
  const rotationCount = rotating.count()
  const { code, stdout, stderr } = await runCommand(['backup', file, '--data-dir', server.dataDir])
  assert.equal(code, 0, stderr)
  assert.match(stdout, /checked/)
  assert.match(stderr, /100 %/)
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.ok(publisher.acceptedIds.size > acceptedIds.length, 'events came meanwhile')
  assert.ok(rotating.count() > rotationCount, 'secrets rotated meanwhile')
  return { file, acceptedIds, answered }
}

/** Opens everything that is sealed, each under its context; returns secrets by endpoint. */
function openAll(dataDir: string, masterKey: string): Map<string, string[]> {
  const masterKeys = [Buffer.from(masterKey, 'base64')]
  const box = createSecretBox({ masterKeys, randomBytes })
  const database = new DatabaseSync(join(dataDir, 'countersign.db'), { readOnly: true })
  const rowsOf = (sql: string) =>
    database.prepare(sql).all() as { id: string; endpoint: string; sealed: Uint8Array }[]
  const secrets = new Map<string, string[]>()
  for (const { id, endpoint, sealed } of rowsOf(
    'select id, endpoint_id as endpoint, sealed_value as sealed from secrets order by seq',
  )) {
    const value = box.open(sealed, secretContext(endpoint, id))
    secrets.set(endpoint, [...(secrets.get(endpoint) ?? []), value])
  }
  const endpoints = rowsOf('select id, sealed_headers as sealed from endpoints')
  assert.equal(endpoints.length, endpointsMax)
  for (const { id, sealed } of endpoints) {
    assert.ok(box.open(sealed, headersContext(id)).includes(headerValue))
  }
  const answers = rowsOf(
    'select scope as id, body as sealed from idempotent_answers where is_sealed',
  )
  for (const { id, sealed } of answers) box.open(sealed, idempotencyContext(id))
  const [check] = rowsOf(
    `select key as id, value as sealed from meta where key = '${checkContext}'`,
  )
  assert.ok(check && box.open(check.sealed, checkContext))
  database.close()
  return secrets
}

/** The restored secrets of an endpoint go on where the answered ones ended, and differ nowhere. */
function assertSecrets(taken: Taken, rotating: Rotating, restored: Map<string, string[]>): void {
  for (const [id, before] of taken.answered) {
    const found = restored.get(id) ?? []
    assert.ok(found.length >= before.length, 'every rotation that was answered before is in it')
    assert.deepEqual(found, rotating.answered.get(id)?.slice(0, found.length))
  }
}

async function createDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'countersign-backup-load-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/**
 * Goal: whenever a backup is made, what it restores to is a state that the store once had, with all
 * that was answered before the backup began. Method: events, attempts and rotations go on without a
 * pause while each backup is made; each is restored, looked through row by row, and the last one
 * is served.
 */
test('backups taken under load restore whole, open and deliver', async (t) => {
  const directory = await createDirectory(t)
  const receiver = await startReceiver()
  t.after(() => receiver.close())
  const server = await startServerProcess()
  t.after(() => server.dispose())
  const project = (await server.client.projects.create({ name: 'Backed up' })).id
  const rotating = await startRotating(server, project, receiver.url)
  const publisher = startPublisher({
    ...{ client: server.client, project, type: 'load.test', perSecond: 100, idPrefix: 'e' },
  })
  t.after(() => Promise.all([publisher.stop(), rotating.stop()]))
  await until('there is load', () => receiver.received.length > 100 && rotating.count() > 12)
  const all: Taken[] = []
  for (let count = 0; count < backupsMax; count += 1) {
    const file = join(directory, `backup-${count}.db`)
    all.push(await takeBackup(file, server, publisher, rotating))
  }
  await publisher.stop()
  await rotating.stop()
  assert.equal(await server.terminate(), 0)
  const masterKey = (await readFile(join(server.dataDir, 'master-key'), 'utf8')).trim()

  const environment = { COUNTERSIGN_MASTER_KEYS: masterKey }
  for (const [place, taken] of all.entries()) {
    assert.ok(!(await readFile(taken.file)).includes(masterKey), 'the key is not in it')
    const dataDir = join(directory, `restored-${place}`)
    const restored = await runCommand(['restore', taken.file, '--data-dir', dataDir], environment)
    assert.equal(restored.code, 0, restored.stderr)
    await checkInvariants(sqliteStore(dataDir), { acceptedIds: taken.acceptedIds })
    assertSecrets(taken, rotating, openAll(dataDir, masterKey))
  }
  const last = join(directory, `restored-${backupsMax - 1}`)
  await serveRestored({ dataDir: last, masterKey, project, receiver })
})

/** Serves a restored store to a receiver that knows only each endpoint's newest secret. */
async function serveRestored(options: {
  dataDir: string
  masterKey: string
  project: string
  receiver: Awaited<ReturnType<typeof startReceiver>>
}): Promise<void> {
  const { dataDir, masterKey, project, receiver } = options
  receiver.secrets = [...openAll(dataDir, masterKey).values()].map(
    (secrets) => secrets.at(-1) ?? '',
  )
  const rejectedBefore = receiver.rejectedCount
  const receivedBefore = receiver.received.length
  const server = await startServerProcess({ COUNTERSIGN_MASTER_KEYS: masterKey }, { dataDir })
  try {
    const { id } = await server.client.events.publish(project, { type: 'a.b', data: {} })
    const deliveries = () => receiver.received.slice(receivedBefore).filter((one) => one.id === id)
    await until('each endpoint has it', () => deliveries().length === endpointsMax)
    for (const { headers, isVerified } of deliveries()) {
      assert.ok(isVerified)
      assert.equal(headers['x-token'], headerValue)
      assert.ok(String(headers['webhook-signature']).split(' ').length > 1, 'the overlap goes on')
    }
    await until('what was pending is delivered', async () => {
      return (await checkInvariants(server.store)).pendingCount === 0
    })
    assert.equal(receiver.rejectedCount, rejectedBefore)
    assert.equal(await server.terminate(), 0)
  } finally {
    await server.dispose()
  }
}
