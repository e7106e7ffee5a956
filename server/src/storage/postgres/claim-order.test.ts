import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openNode } from '../../../test/support/postgres-nodes.ts'
import {
  findPostgres,
  noPostgres,
  type PostgresServer,
  startPostgres,
} from '../../../test/support/postgres-server.ts'
import type { ClaimedDelivery, StorageConsumers } from '../storage.ts'

const skip = findPostgres() === null ? noPostgres : false
const rounds = 20
let server: PostgresServer

before(async () => {
  if (!skip) server = await startPostgres()
})
after(() => server?.dispose())

test('nothing newer is handed over while a claim is on its way', { skip }, async () => {
  const { url } = await server.createDatabase()
  await using node = await openNode(url)
  const { storage, samples } = node
  const project = await samples.addProject()
  const endpoint = await samples.addEndpoint(project.id, { eventTypes: ['watched'] })
  await samples.addEndpoint(project.id, { eventTypes: ['other'] })
  const published: string[] = []
  const sent: string[] = []
  const send = (deliveries: readonly ClaimedDelivery[]) => {
    const watched = deliveries.filter(({ endpointId }) => endpointId === endpoint.id)
    sent.push(...watched.map(({ event }) => event.id))
  }
  let hasRoom = false
  const handOff: NonNullable<StorageConsumers['handOff']> = {
    reserve: (endpointId) => hasRoom && endpointId === endpoint.id,
    cancel: () => {},
    take: send,
  }
  storage.connect({ handOff })
  const publish = async () => {
    const events = await samples.publish(project.id, { type: 'watched' })
    published.push(...events.map(({ id }) => id))
  }
  const claim = async () => {
    const claimed = await samples.claimAll()
    send(claimed)
    return claimed.length
  }

  for (let round = 0; round < rounds; round += 1) {
    hasRoom = false
    await publish()
    hasRoom = true
    let isClaiming = true
    const claiming = claim().finally(() => {
      isClaiming = false
    })
    // What falls due elsewhere is looked at before the claim is over.
    const others = async () => {
      while (isClaiming) await samples.publish(project.id, { type: 'other' })
    }
    const ours = async () => {
      while (isClaiming) await publish()
    }
    await Promise.all([ours(), others(), others()])
    await claiming
    while ((await claim()) > 0);
  }
  assert.ok(published.length > rounds)
  assert.deepEqual(sent, published)
})
