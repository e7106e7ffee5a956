import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import {
  findPostgres,
  noPostgres,
  type PostgresServer,
  startPostgres,
} from './support/postgres-server.ts'
import { startReceiver } from './support/receiver.ts'
import { runCommand, startCommand } from './support/run-command.ts'
import { startServerProcess } from './support/start-server-process.ts'
import { until } from './support/until.ts'

let server: PostgresServer
let store: Awaited<ReturnType<typeof servedStore>>

describe('countersign migrate-store', { skip: findPostgres() === null && noPostgres }, () => {
  before(async () => {
    server = await startPostgres()
    store = await servedStore()
  })
  after(async () => {
    await store.dispose()
    await server.dispose()
  })

  test('copies a store that has served, opens its secrets, and leaves the file as it was', async () => {
    const { url } = await server.createEmptyDatabase()
    const hash = await hashOf(store.file)
    const { code, stdout, stderr } = await store.move(url)
    assert.equal(code, 0, stderr)
    const [, opened] =
      /^\d+ rows in \d+ tables are in .*, and (\d+) sealed values/.exec(stdout) ?? []
    // Two endpoints and a rotation, header values, the check of the key, kept answers.
    assert.ok(Number(opened) >= 5, stdout)
    assert.match(stderr, /Copying 100 %/)
    assert.equal(await hashOf(store.file), hash)
    for (const table of ['projects', 'secrets', 'events', 'deliveries', 'attempts', 'audit_rows']) {
      const count = store.count(table)
      assert.ok(count > 0, table)
      assert.equal(await countIn(url, table), count, table)
    }
    assert.equal(await countIn(url, 'due_deliveries'), 1, 'the delivery of the one that is down')

    const again = await store.move(url)
    assert.equal(again.code, 1)
    assert.match(again.stderr, /is not empty: there are projects/)
  })

  test('a node goes on in the database where the file ended', async () => {
    const { url } = await server.createEmptyDatabase()
    assert.equal((await store.move(url)).code, 0)
    const { receiver, project, secrets, dataDir } = store
    const node = await startServerProcess({
      COUNTERSIGN_DATABASE_URL: url,
      COUNTERSIGN_MASTER_KEYS: (await readFile(join(dataDir, 'master-key'), 'utf8')).trim(),
    })
    try {
      const { client } = node
      // The window is still open: a receiver that knows one of the two takes the delivery.
      for (const [place, secret] of secrets.entries()) {
        receiver.secrets = [secret]
        const { id } = await client.events.publish(project, { type: 'b.c', data: { place } })
        await until('it is delivered', () => receiver.deliveredIds.has(id))
      }
      assert.equal(receiver.received.at(-1)?.headers['x-token'], 'of the customer')
      const before = receiver.received.length
      await client.events.publish(project, { type: 'a.b', id: 'order-1', data: { a: 1 } })
      const { data } = await client.events.list(project).page()
      assert.equal(data.filter(({ type }) => type === 'a.b').length, 1, 'the id is still taken')
      assert.equal(receiver.received.length, before)
      await until('what was pending is tried again when it is due', async () => {
        const { data: deliveries } = await client.deliveries.list(project).page()
        const pending = deliveries.filter(({ status }) => status === 'pending')
        return pending.length === 1 && pending[0]?.attemptCount === 2
      })
    } finally {
      await node.dispose()
    }
  })

  test('begins anew after it was killed half-way', async () => {
    store.addEvents(40_000)
    const { url } = await server.createEmptyDatabase()
    {
      await using command = startCommand(...store.commandFor(url))
      await until('it has copied something', () => /Copying [1-9]/.test(command.stderr()))
      command.signal('SIGKILL')
      assert.equal(await command.exited, null, 'it was killed before its end')
    }
    assert.equal(await countIn(url, 'projects'), 0)
    const { code, stderr } = await store.move(url)
    assert.equal(code, 0, stderr)
    assert.equal(await countIn(url, 'events'), store.count('events'))
  })

  test('refuses, with one sentence each, what must not be copied', async () => {
    const { url } = await server.createEmptyDatabase()
    const refused = async (sentence: RegExp, change: Partial<typeof store> = {}) => {
      const { code, stderr } = await runCommand(...commandFor({ ...store, ...change }, url))
      assert.equal(code, 1, stderr)
      assert.match(stderr, sentence)
      assert.equal(stderr.trim().split('\n').length, 1, stderr)
    }
    await refused(/There is no database/, { file: `${store.file}.elsewhere` })
    await refused(/not configured/, {
      environment: { COUNTERSIGN_MASTER_KEYS: randomBytes(32).toString('base64') },
    })
    store.exec(`insert into schema_migrations values (9999, 'later', 0)`)
    await refused(/knows only/)
    store.exec('update schema_migrations set version = version - 10000 where version > 1')
    await refused(/run countersign migrate/)
    store.exec(`update schema_migrations set version = version + 10000 where version < 1;
      delete from schema_migrations where version = 9999`)
    {
      await using _ = await running(store.dataDir)
      await refused(/in use/)
    }
    assert.equal((await store.move(url)).code, 0)
  })

  test('refuses an address that is none, and shows no password', async () => {
    for (const to of ['sqlite', 'mysql://u:hunter2@db/x', 'postgres://u:hunter2@127.0.0.1:1/x']) {
      const { code, stdout, stderr } = await store.move(to)
      assert.equal(code, 1)
      assert.match(stderr, /Name the PostgreSQL database|cannot be opened/)
      assert.doesNotMatch(stdout + stderr, /hunter2/)
    }
    const { url } = await server.createEmptyDatabase()
    await query(
      url,
      `create table schema_migrations (version integer, name text, applied_at bigint)`,
    )
    await query(url, `insert into schema_migrations values (9999, 'later', 0)`)
    assert.match((await store.move(url)).stderr, /schema version 9999/)
  })
})

interface Place {
  dataDir: string
  file: string
  environment: Record<string, string>
}

/** A store of a server that has rotated, delivered and failed, and is stopped. */
async function servedStore() {
  const dataDir = await mkdtemp(join(tmpdir(), 'countersign-move-'))
  const receiver = await startReceiver()
  const made = await serve(dataDir, receiver.url)
  const place: Place = { dataDir, file: join(dataDir, 'countersign.db'), environment: {} }
  const onFile = <T>(work: (database: DatabaseSync) => T): T => {
    const database = new DatabaseSync(place.file)
    try {
      return work(database)
    } finally {
      database.close()
    }
  }
  return {
    ...place,
    ...made,
    receiver,
    commandFor: (url: string) => commandFor(place, url),
    move: (url: string) => runCommand(...commandFor(place, url)),
    count: (table: string) =>
      onFile((database) =>
        Number(database.prepare(`select count(*) as count from ${table}`).get()?.count),
      ),
    addEvents: (count: number) =>
      onFile((database) =>
        database.exec(`
          with recursive n(i) as (select 1000 union all select i + 1 from n where i < ${count + 999})
          insert into events (seq, project_seq, id, type, timestamp, metadata, data, delivery_count,
            created_at)
          select i, 1, 'added-' || i, 'a.b', 't', '{}', '{}', 0, ${Date.now()} from n`),
      ),
    exec: (sql: string) => onFile((database) => database.exec(sql)),
    async dispose() {
      await receiver.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** The project, and the secrets of its endpoint: the one before the rotation, the one after. */
async function serve(dataDir: string, receiverUrl: string) {
  await using served = await running(dataDir)
  const { client } = served
  const project = (await client.projects.create({ name: 'Shop' })).id
  const endpoint = await client.endpoints.create(project, {
    url: receiverUrl,
    headers: { 'X-Token': 'of the customer' },
  })
  await client.endpoints.create(project, { url: 'http://127.0.0.1:1/down', eventTypes: ['a.b'] })
  const rotated = await client.endpoints.rotateSecret(project, endpoint.id, {
    expireCurrentIn: 3600,
  })
  await client.events.publish(project, { type: 'a.b', id: 'order-1', data: { a: 1 } })
  await until('the attempts are recorded', async () => {
    const { data } = await client.deliveries.list(project).page()
    return data.length === 2 && data.every(({ attemptCount }) => attemptCount > 0)
  })
  return { project, secrets: [endpoint.secret, rotated.secret] }
}

function commandFor(
  { dataDir, file, environment }: Place,
  url: string,
): [args: string[], environment: Record<string, string>] {
  return [['migrate-store', '--from', file, '--to', url, '--data-dir', dataDir], environment]
}

async function running(dataDir: string) {
  const served = await startServerProcess({}, { dataDir })
  return {
    ...served,
    // The directory stays: it is what is copied.
    async [Symbol.asyncDispose]() {
      await served.terminate()
    },
  }
}

async function hashOf(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
}

async function countIn(url: string, table: string): Promise<number> {
  const [row] = await query(url, `select count(*) as count from ${table}`)
  return Number(row?.count)
}

async function query(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(statement)).rows
  } finally {
    await client.end()
  }
}
