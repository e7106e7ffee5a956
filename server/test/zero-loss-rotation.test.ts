import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RotatedSecret } from '@countersign/sdk'
import { signedAt } from './support/cluster-records.ts'
import { type Publisher, startPublisher } from './support/publisher.ts'
import { type Received, startReceiver } from './support/receiver.ts'
import { seededRandom } from './support/seeded-random.ts'
import { type ServerProcess, startServerProcess } from './support/start-server-process.ts'
import { until } from './support/until.ts'

const attemptTimeoutMs = 1_000
/** Timestamps are whole seconds. */
const timestampMs = 1_000
/** On a busy machine a look comes to nothing now and then; the fourth comes after 105 s. */
const provenMsMax = 120_000
const rotationsMax = process.env.COUNTERSIGN_TEST_LONG ? 40 : 4

/**
 * Goal: no rejected signature and no lost event while secrets rotate under load and the process is
 * killed and stopped at random. Method: a receiver that verifies every request; it takes old and
 * new from the answer on, and drops the old at a random point of the window, but not before one
 * attempt timeout has passed.
 */
test('rotates under load, with restarts, without a rejected signature or a lost event', async (t) => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
  t.diagnostic(`seed ${seed}`)
  const random = seededRandom(seed)
  const receiver = await startReceiver()
  receiver.toleranceSeconds = 60
  const server = await startServerProcess({
    COUNTERSIGN_ATTEMPT_TIMEOUT: `${attemptTimeoutMs}ms`,
    COUNTERSIGN_RETRY_SCHEDULE: Array(20).fill('1s').join(','),
    COUNTERSIGN_LOG_LEVEL: 'warn',
  })
  let restarting: Promise<unknown> = Promise.resolve()
  let publisher: Publisher | undefined
  t.after(async () => {
    // After a failure too, nothing may go on: no load, and no process that starts later.
    await publisher?.stop()
    await restarting.catch(() => undefined)
    await server.dispose()
    await receiver.close()
  })
  const { client } = server
  const project = (
    await client.projects.create({ name: 'zero loss', settings: { autoProbe: true } })
  ).id
  const endpoint = await client.endpoints.create(project, { url: receiver.url })
  receiver.secrets = [endpoint.secret]
  const switches: Switch[] = []

  publisher = startPublisher({
    client,
    project,
    type: 'load.test',
    perSecond: 220,
    idPrefix: 'e',
  })
  for (let round = 0; round < rotationsMax; round++) {
    // A restart takes long on a busy machine, and a window counts from the commit, so that one which
    // sees a restart is long and is completed by the verb; of the others one runs out by itself, and
    // one ends when the receiver has proved that it takes the new secret.
    const isRestarted = round % 3 === 0
    const isProven = round % 3 === 2
    const windowSeconds = isRestarted ? 40 : 4
    await pause(200 + random() * 800)
    restarting = isRestarted ? restartAtRandom(server, random) : Promise.resolve()
    const rotated = await rotateAcrossCrashes(server, project, endpoint.id, {
      idempotencyKey: `round-${round}`,
      windowSeconds,
      isProven,
    })
    const rotationOf = () => client.rotations.get(project, endpoint.id, rotated.rotation.id)
    const answeredAt = Date.now()
    receiver.secrets = [...receiver.secrets, rotated.secret]
    if (isProven) {
      const isOver = async () => (await rotationOf()).completedBy === 'verified'
      await until('it is proven', isOver, provenMsMax)
    } else await pause(attemptTimeoutMs + random() * 2_000)
    receiver.secrets = [rotated.secret]
    switches.push({ answeredAt, droppedAt: Date.now() })
    await restarting
    if (isRestarted) await client.rotations.complete(project, endpoint.id, rotated.rotation.id)
    await until('the rotation is over', async () => (await rotationOf()).status === 'completed')
  }
  await publisher.stop()
  const { acceptedIds } = publisher
  await until(
    'every accepted event is delivered',
    () => [...acceptedIds].every((id) => receiver.deliveredIds.has(id)),
    60_000,
  )
  t.diagnostic(`${acceptedIds.size} events, ${receiver.received.length} requests`)
  assert.deepEqual(rejected(receiver.received, switches), [], 'no signature was rejected')
  assert.ok(acceptedIds.size > rotationsMax * 500, 'there was load')
  assert.equal(await server.terminate(), 0)
})

/** The receiver knows the new secret, and later takes no other. */
interface Switch {
  answeredAt: number
  droppedAt: number
}

/**
 * What was rejected although it should not have been. A probe with a wrong signature has to be. And
 * on a busy machine the receiver reads seconds later what was signed before the rotation was
 * answered, when its sender has long given up: it is sent again.
 */
function rejected(received: readonly Received[], switches: readonly Switch[]) {
  return received
    .filter(({ isVerified, body }) => !isVerified && !body.includes('countersign.probe'))
    .map(({ at, headers }) => ({ at, signedAt: signedAt(headers) }))
    .filter(({ at, signedAt }) => {
      const last = switches.findLast(({ droppedAt }) => droppedAt <= at)
      const isGivenUp = at - signedAt > attemptTimeoutMs + timestampMs
      return last === undefined || signedAt > last.answeredAt || !isGivenUp
    })
}

async function restartAtRandom(server: ServerProcess, random: () => number): Promise<void> {
  await pause(random() * 1_500)
  if (random() < 0.7) await server.kill()
  else await server.terminate()
  await server.start()
}

/** The same Idempotency-Key until it is answered, as the SDK's own retries do. */
async function rotateAcrossCrashes(
  server: ServerProcess,
  project: string,
  endpoint: string,
  options: { idempotencyKey: string; windowSeconds: number; isProven: boolean },
): Promise<RotatedSecret> {
  for (;;) {
    try {
      return await server.client.endpoints.rotateSecret(
        project,
        endpoint,
        {
          expireCurrentIn: options.windowSeconds,
          completeWhen: options.isProven ? 'verified' : 'expiry',
        },
        { idempotencyKey: options.idempotencyKey },
      )
    } catch (error) {
      if ((error as { status?: number }).status !== undefined) throw error
      await pause(50)
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
