import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkInvariants } from '../support/check-invariants.ts'
import { ok } from '../support/hostile-receivers.ts'
import { startServerProcess } from '../support/start-server-process.ts'
import { type NameService, nameServiceFileVariable } from '../support/unreliable-names.ts'
import { until } from '../support/until.ts'

/** More than are looked up at a time, and with them more deliveries than there are slots. */
const namesMax = 12
const eventsPerFault = 8
const faults = [
  ['fail', 'dns'],
  ['hang', 'timeout'],
] as const
/** Longer than a machine is held up as a rule: an attempt that ends by this may have arrived. */
const attemptTimeoutMs = 3_000

/**
 * Goal: while names cannot be resolved, at once or after a long silence, deliveries to them are kept
 * and tried again, and those to addresses go on as if nothing were wrong.
 */
test('a name service that fails or hangs delays what needs it, and nothing else', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-names-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'name-service')
  const become = (service: NameService) => writeFileSync(file, service)
  become('answer')
  await using byName = await ok()
  await using byAddress = await ok()
  const server = await startServerProcess({
    NODE_OPTIONS: `--import=${new URL('../support/unreliable-names.ts', import.meta.url)}`,
    [nameServiceFileVariable]: file,
    COUNTERSIGN_CONCURRENCY: '40',
    COUNTERSIGN_ATTEMPT_TIMEOUT: `${attemptTimeoutMs}ms`,
    COUNTERSIGN_RETRY_SCHEDULE: Array(50).fill('500ms').join(','),
  })
  t.after(() => server.dispose())
  const { client } = server
  const project = (await client.projects.create({ name: 'names' })).id
  // Names of its own for each fault: those that were just looked up are remembered for seconds.
  for (const [service] of faults) {
    for (let name = 0; name < namesMax; name += 1) {
      const url = byName.url.replace('127.0.0.1', `${service}-${name}.test`)
      await client.endpoints.create(project, { url, eventTypes: [`by.name.${service}`] })
    }
  }
  await client.endpoints.create(project, { url: byAddress.url, eventTypes: ['by.address'] })
  const acceptedIds: string[] = []
  const publish = async (type: string) => {
    const { id } = await client.events.publish(project, { type, data: {} })
    acceptedIds.push(id)
    return id
  }
  const errorsOf = async (event: string) => {
    const { data } = await client.deliveries.list(project, { event, limit: 100 }).page()
    return data.map(({ lastError }) => lastError)
  }
  /** Attempts that waited so long for a name that their time ended just after they were sent. */
  const cutOffOf = async (event: string) => {
    const { data } = await client.deliveries.list(project, { event, limit: 100 }).page()
    const whole = await Promise.all(data.map(({ id }) => client.deliveries.get(project, id)))
    return whole
      .flatMap(({ attempts }) => attempts)
      .filter(({ error, request }) => error === 'timeout' && 'webhook-id' in request.headers).length
  }
  /** To which hosts the event came, once for each time. */
  const hostsOf = ({ requests }: typeof byName, id: string) =>
    requests
      .filter(({ headers }) => headers['webhook-id'] === id)
      .map(({ headers }) => headers.host)

  for (const [service, error] of faults) {
    become(service)
    const named: string[] = []
    for (let count = 0; count < eventsPerFault; count += 1) {
      named.push(await publish(`by.name.${service}`))
      const id = await publish('by.address')
      await until(
        'what goes to an address arrives',
        () => hostsOf(byAddress, id).length === 1,
        5_000,
      )
    }
    await until(
      `every delivery to a name has failed as ${error}`,
      async () => {
        const errors = (await Promise.all(named.map(errorsOf))).flat()
        return errors.every((each) => each !== null) && errors.includes(error)
      },
      60_000,
    )
    await checkInvariants(server.store, { acceptedIds })
    assert.equal((await fetch(`${server.url}/readyz`)).status, 200, 'the server itself is well')
    become('answer')
    // Look-ups that hang are waited for before new ones begin.
    await until(
      'every delivery to a name arrives',
      () => named.every((id) => new Set(hostsOf(byName, id)).size === namesMax),
      60_000,
    )
  }
  await until('nothing is pending', async () => {
    const { data } = await client.deliveries.list(project, { status: 'pending' }).page()
    return data.length === 0
  })
  const { deliveries } = await checkInvariants(server.store, { acceptedIds })
  assert.ok([...deliveries.values()].every(({ status }) => status === 'delivered'))
  assert.equal(deliveries.size, 2 * eventsPerFault * (namesMax + 1))
  for (const id of acceptedIds) {
    const repeated = hostsOf(byName, id).length - new Set(hostsOf(byName, id)).size
    if (repeated > 0) assert.ok(repeated <= (await cutOffOf(id)), 'nothing was sent without need')
  }
  assert.equal(byAddress.requests.length, 2 * eventsPerFault)
  assert.equal(await server.terminate(), 0)
})
