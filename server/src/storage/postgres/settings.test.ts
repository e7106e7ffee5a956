import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { openNode } from '../../../test/support/postgres-nodes.ts'
import {
  findPostgres,
  noPostgres,
  type PostgresServer,
  startPostgres,
} from '../../../test/support/postgres-server.ts'
import { StorageOpenError } from '../storage.ts'
import { clientConfig } from './pool.ts'

const skip = findPostgres() === null ? noPostgres : false
let server: PostgresServer

before(async () => {
  if (!skip) server = await startPostgres()
})
after(() => server?.dispose())

test('what a database sets for others changes nothing of what is read', { skip }, async () => {
  const { url } = await server.createDatabase()
  const name = new URL(url).pathname.slice(1)
  for (const setting of [
    "bytea_output = 'escape'",
    'extra_float_digits = -10',
    "default_transaction_isolation = 'serializable'",
    "timezone = 'Asia/Kathmandu'",
    "statement_timeout = '50ms'",
    'standard_conforming_strings = off',
  ]) {
    await run(url, `alter database ${name} set ${setting}`)
  }
  await using node = await openNode(url)
  const { endpoint } = await node.samples.addPair()
  const sealedValue = Uint8Array.of(0, 1, 92, 127, 128, 255)
  const secret = node.samples.secret(endpoint, { sealedValue })
  await node.storage.transact((tx) => tx.insertSecret(secret))
  const [read] = await node.storage.listSecrets(endpoint.id)
  assert.deepEqual(read?.sealedValue, sealedValue)
  const now = await node.storage.cluster?.now()
  assert.ok(Math.abs((now ?? 0) - Date.now()) < 1_000, `the store says that it is ${now}`)
  assert.equal(await show(clientConfig(url), 'default_transaction_isolation'), 'read committed')
})

test('options of an address stand beside those that every connection has', { skip }, async () => {
  const { url } = await server.createEmptyDatabase()
  await run(url, 'create schema other')
  const address = new URL(url)
  address.searchParams.set('options', '-c search_path=other -c enable_seqscan=on')
  const config = clientConfig(address.href)
  assert.equal(await show(config, 'search_path'), 'other')
  assert.equal(await show(config, 'enable_seqscan'), 'off')
  await using node = await openNode(address.href)
  const { project } = await node.samples.addPair()
  await node.samples.publish(project.id)
  assert.equal((await node.samples.claimAll()).length, 1)
  const rows = await run(url, 'select distinct schemaname from pg_tables where tableowner = user')
  const schemas = rows.map(({ schemaname }) => schemaname)
  assert.ok(schemas.includes('other') && !schemas.includes('public'), String(schemas))
})

test('a database that cannot hold every text is refused', { skip }, async () => {
  for (const encoding of ['LATIN1', 'SQL_ASCII']) {
    const name = `in_${encoding.toLowerCase()}`
    await run(server.url, `create database ${name} encoding '${encoding}' template template0`)
    const address = new URL(server.url)
    address.pathname = `/${name}`
    await assert.rejects(openNode(address.href), (error: Error) => {
      assert.ok(error instanceof StorageOpenError, String(error))
      assert.match(error.message, new RegExp(`has the encoding ${encoding}, .* encoding UTF8\\.$`))
      return true
    })
  }
})

test('a line that is silent is probed long before a router forgets it', {
  skip: skip || (process.platform !== 'linux' && 'only Linux shows the timers of its connections'),
}, async () => {
  const { url } = await server.createDatabase()
  await using _node = await openNode(url)
  const port = Number(new URL(url).port).toString(16).toUpperCase().padStart(4, '0')
  const timers = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , remote, state]) => remote?.endsWith(`:${port}`) && state === '01')
    .map(([, , , , , timer = '']) => timer.split(':'))
  assert.ok(timers.length > 0, 'the node has connections')
  for (const [kind, hundredths = ''] of timers) {
    assert.equal(kind, '02', 'nothing but the probe is waited for')
    assert.ok(Number.parseInt(hundredths, 16) <= 10_50, `it comes in ${hundredths} (hex)`)
  }
})

async function show(config: pg.ClientConfig, setting: string): Promise<unknown> {
  const client = new pg.Client(config)
  await client.connect()
  const { rows } = await client.query(`show ${setting}`)
  await client.end()
  return rows[0]?.[setting]
}

async function run(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query(sql)
  await client.end()
  return rows
}
