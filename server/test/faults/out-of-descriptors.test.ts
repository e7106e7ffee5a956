import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { ApiError } from '@countersign/sdk'
import { checkInvariants } from '../support/check-invariants.ts'
import { ok } from '../support/hostile-receivers.ts'
import { type ServerProcess, startServerProcess } from '../support/start-server-process.ts'
import { until } from '../support/until.ts'

/** Some 45 are open in a server that has nothing to do. */
const descriptorsMax = 80
const connectionsMax = 200
const endpointsMax = 5

/**
 * Goal: a process that may open nothing more goes on with what it has open, gives no receiver and no
 * publisher the fault, and works again as soon as something is closed.
 */
test('out of descriptors: deliveries wait unharmed, and go out when there are some again', {
  skip: process.platform === 'linux' ? false : 'descriptors are counted in /proc',
}, async (t) => {
  await using receiver = await ok({ headers: { connection: 'close' } })
  const server = await startServerProcess(
    { COUNTERSIGN_RETRY_SCHEDULE: '200ms,200ms' },
    { launcher: ['sh', '-c', `ulimit -n ${descriptorsMax} && exec "$@"`, 'sh'] },
  )
  t.after(() => server.dispose())
  const { client, url } = server
  const project = (await client.projects.create({ name: 'descriptors' })).id
  for (let count = 0; count < endpointsMax; count += 1) {
    await client.endpoints.create(project, { url: `${receiver.url}/${count}`, eventTypes: ['a.b'] })
  }
  await defineType(server, project, 'with.schema')
  // A new process has no thread for schemas yet.
  assert.equal(await server.terminate(), 0)
  await server.start()
  const acceptedIds: string[] = []
  const publish = async (type: string) => {
    const { id } = await client.events.publish(project, { type, data: { text: 'x' } })
    acceptedIds.push(id)
    return id
  }
  // Over the connection that this client has, and keeps.
  await client.projects.get(project)
  const connections = openConnections(url, t)
  await until('it has no descriptor left', () => countDescriptors(server) >= descriptorsMax)

  for (let count = 0; count < 5; count += 1) await publish('a.b')
  await until('the log says why', () =>
    /No more connections can be opened; deliveries wait\..*EMFILE|EMFILE.*No more conn/.test(
      server.output(),
    ),
  )
  // What the thread that checks it cannot be started for is refused for now, not as a mistake.
  await assert.rejects(publish('with.schema'), (error) => {
    assert.ok(error instanceof ApiError)
    assert.deepEqual([error.status, error.code], [503, 'overloaded'])
    return true
  })
  await checkInvariants(server.store, { acceptedIds })
  assert.equal(receiver.requests.length, 0)

  for (const each of connections) each.destroy()
  await until('everything arrives', () => receiver.requests.length === 5 * endpointsMax)
  await publish('with.schema')
  assert.equal((await fetch(`${url}/readyz`)).status, 200)
  await until('nothing is pending', async () => {
    const { data } = await client.deliveries.list(project, { status: 'pending' }).page()
    return data.length === 0
  })
  const { deliveries } = await checkInvariants(server.store, { acceptedIds })
  for (const delivery of deliveries.values()) {
    assert.deepEqual(delivery, { status: 'delivered', attemptCount: 1 }, 'no attempt was used up')
  }
  assert.equal(await server.terminate(), 0)
})

async function defineType(server: ServerProcess, project: string, name: string): Promise<void> {
  const answer = await fetch(`${server.url}/v1/projects/${project}/event-types/${name}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${server.rootKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ schema: { type: 'object', required: ['text'] } }),
  })
  assert.equal(answer.status, 200)
}

/** Connections that say nothing: each takes a descriptor of the server until it is closed. */
function openConnections(url: string, t: { after(work: () => void): void }): Socket[] {
  const sockets = Array.from({ length: connectionsMax }, () =>
    connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {}),
  )
  t.after(() => {
    for (const socket of sockets) socket.destroy()
  })
  return sockets
}

function countDescriptors(server: ServerProcess): number {
  return readdirSync(`/proc/${server.pid()}/fd`).length
}
