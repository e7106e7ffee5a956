import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, connect as dial, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { TLSSocket } from 'node:tls'
import pg from 'pg'
import { openNode, type StorageNode } from '../../../test/support/postgres-nodes.ts'
import {
  findPostgres,
  noPostgres,
  type PostgresServer,
  startPostgres,
} from '../../../test/support/postgres-server.ts'
import { makeCertificate } from '../../../test/support/test-certificate.ts'
import { until } from '../../../test/support/until.ts'
import { StorageOpenError, StorageUnavailableError } from '../storage.ts'
import { openError } from './errors.ts'

const skip = findPostgres() === null ? noPostgres : false
let server: PostgresServer

before(async () => {
  if (!skip) server = await startPostgres({ isDurable: true })
})
after(() => server?.dispose())

test('a server that crashes loses nothing that was accepted', { skip }, async () => {
  const { url } = await server.createDatabase()
  await using node = await openNode(url, { leaseMs: 60_000 })
  await using other = await openNode(url)
  const { project } = await node.samples.addPair()
  const accepted = await node.samples.publish(project.id, {}, {}, {})
  const held = await node.samples.claimAll()
  assert.equal(held.length, 3)

  await server.stop()
  await assert.rejects(node.samples.publish(project.id), StorageUnavailableError)
  await assert.rejects(node.storage.getProject(project.id), StorageUnavailableError)
  await assert.rejects(node.storage.ping(), StorageUnavailableError)
  await server.start()

  await comesBack(node)
  await comesBack(other)
  const { items } = await node.storage.listEvents(project.id, { limit: 10, after: null })
  assert.deepEqual(items.map(({ id }) => id).sort(), accepted.map(({ id }) => id).sort())
  // The leases were kept as well: what was on its way is recorded, once.
  const results = held.map((delivery) => node.samples.result(delivery))
  const recorded = await node.storage.transact((tx) => tx.recordAttempts(results))
  assert.deepEqual(recorded.fencedDeliveryIds, [])
  // So is the line over which the nodes tell each other.
  let isTold = false
  other.storage.connect({
    onCommitted: ({ projectIds }) => {
      isTold ||= projectIds.has(project.id)
    },
  })
  await until('the other node is told again', async () => {
    await node.storage.transact((tx) => tx.updateProject(project))
    return isTold
  })
})

test('a node that is cut off from the server comes back by itself', { skip }, async () => {
  const { url } = await server.createDatabase()
  const line = await openLine(url)
  await using node = await openNode(line.url)
  await using other = await openNode(url)
  const { project } = await node.samples.addPair()
  await node.samples.publish(project.id)
  line.cut()
  await assert.rejects(node.samples.publish(project.id), StorageUnavailableError)
  // Whoever is not cut off goes on.
  assert.equal((await other.samples.claimAll()).length, 1)
  line.restore()
  await comesBack(node)
  await node.samples.publish(project.id)
  await node.storage.close()
  await line.close()
})

test('a database that is not there is one sentence, without its password', async () => {
  const url = 'postgres://countersign:hunter2@127.0.0.1:1/nothing'
  await assert.rejects(openNode(url), (error: Error) => {
    assert.ok(error instanceof StorageOpenError)
    assert.match(error.message, /^The database 127\.0\.0\.1:1\/nothing cannot be opened: /)
    assert.doesNotMatch(error.message, /hunter2/)
    return true
  })
})

test('a node does with the connections that the server has room for', { skip }, async () => {
  const { url } = await server.createDatabase()
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  // One that is listened on, and some of the 22 that the node would make.
  await client.query(
    'create role narrow login connection limit 7; grant all on schema public to narrow',
  )
  await client.query(
    'grant all on all tables in schema public to narrow; grant all on all sequences in schema public to narrow',
  )
  await client.end()
  const narrow = new URL(url)
  narrow.username = 'narrow'
  await using owner = await openNode(url)
  const { project } = await owner.samples.addPair()
  await using node = await openNode(narrow.href)
  const bump = () => node.storage.transact((tx) => tx.setMeta('narrow', new Uint8Array()))
  await node.storage.getProject(project.id)
  await Promise.all(
    Array.from({ length: 30 }, (_, n) =>
      n % 2 === 0 ? node.storage.getProject(project.id) : bump(),
    ),
  )
})

test('an address that does not fit the server is refused, not waited for', { skip }, async () => {
  const { url } = await server.createDatabase()
  const isRefused = (reason: RegExp) => (error: Error) => {
    assert.ok(error instanceof StorageOpenError, String(error))
    assert.equal(error.isUnreachable, false)
    assert.match(error.message, reason)
    return true
  }
  await assert.rejects(
    openNode(`${url}?sslmode=verify-full`),
    isRefused(/cannot be opened: The server does not support SSL connections\.$/),
  )
  await assert.rejects(
    openNode(`${url}?sslmode=verify-full&sslrootcert=/nowhere/ca.pem`),
    isRefused(/cannot be opened: ENOENT: no such file or directory, open '\/nowhere\/ca\.pem'\.$/),
  )
  const secured = await startSecured()
  await assert.rejects(
    openNode(`${secured.url}?sslmode=verify-full`),
    isRefused(/cannot be opened: self-signed certificate.*\.$/),
  )
  const noCertificate = encodeURIComponent(import.meta.filename)
  await assert.rejects(
    openNode(`${secured.url}?sslmode=verify-full&sslcert=${noCertificate}`),
    isRefused(/cannot be opened: .*PEM.*\.$/),
  )
  await secured.close()
  const driver = new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string')
  const refused = openError('db/x', driver)
  assert.ok(
    refused instanceof Error &&
      isRefused(/it asks for a password, and the address has none\.$/)(refused),
  )
})

test('a user that may not make tables is told what it needs', { skip }, async () => {
  const { url } = await server.createEmptyDatabase()
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('create role guest login')
  await client.end()
  const guest = new URL(url)
  guest.username = 'guest'
  await assert.rejects(openNode(guest.href), (error: Error) => {
    assert.ok(error instanceof StorageOpenError)
    assert.match(
      error.message,
      /permission denied .*; its user has to be the owner of the database/,
    )
    return true
  })
})

/** Says yes to TLS, and shows a certificate that nobody has signed. */
async function startSecured() {
  const certificate = makeCertificate(['IP:127.0.0.1'])
  assert.ok(certificate !== null)
  const sockets = new Set<Socket>()
  const secured = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write('S')
      new TLSSocket(socket, { isServer: true, ...certificate }).on('error', () => {})
    })
  }).listen(0, '127.0.0.1')
  await once(secured, 'listening')
  const address = secured.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `postgres://countersign@127.0.0.1:${port}/x`,
    async close() {
      for (const socket of sockets) socket.destroy()
      secured.close()
      await once(secured, 'close')
    },
  }
}

async function comesBack({ storage }: StorageNode): Promise<void> {
  await until('the node can read and write', () =>
    storage.ping().then(
      () => true,
      () => false,
    ),
  )
}

/** A line to the server that can be cut: then what is said on it ends, and nobody is let in. */
async function openLine(target: string) {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let isCut = false
  const line = createServer((near) => {
    if (isCut) return near.destroy()
    const far = dial(Number(port), hostname)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  }).listen(0, '127.0.0.1')
  await once(line, 'listening')
  const address = line.address()
  const url = new URL(target)
  url.port = String(typeof address === 'object' && address !== null ? address.port : 0)
  return {
    url: url.href,
    cut() {
      isCut = true
      for (const socket of sockets) socket.destroy()
    },
    restore() {
      isCut = false
    },
    async close() {
      line.close()
      await once(line, 'close')
    },
  }
}
