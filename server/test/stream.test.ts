import assert from 'node:assert/strict'
import { after, before, describe, type TestContext, test } from 'node:test'
import { ApiError, Countersign, rawJson, type StreamItem } from '@countersign/sdk'
import { apiLimits } from '../src/api/api-limits.ts'
import { createStreamReader, itemsMax, overlapMs } from '../src/api/stream-reader.ts'
import { createClock } from '../src/clock.ts'
import type { Event } from '../src/core/event.ts'
import type { Reads } from '../src/storage/storage.ts'
import { type Receiver, startReceiver } from './support/receiver.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'

let app: TestApp
let receiver: Receiver
before(async () => {
  app = await startTestApp({
    environment: { COUNTERSIGN_RETRY_SCHEDULE: '50ms,50ms,100ms,200ms,200ms,500ms,500ms,1s,1s,1s' },
  })
  receiver = await startReceiver()
})
after(async () => {
  await receiver.close()
  await app.dispose()
})

/** Follows a project in the background. */
function follow(t: TestContext, client: Countersign, project: string, position?: string) {
  const stop = new AbortController()
  // A test that fails must not leave it behind: it would connect again for ever.
  t.after(() => stop.abort())
  const items: StreamItem[] = []
  const state = { isOpen: false, position: position ?? '' }
  const ended = (async () => {
    const options = { position, signal: stop.signal }
    const followed = client.stream.follow(project, {
      ...options,
      onConnection(error) {
        state.isOpen = error === null
      },
      onPosition(at) {
        state.position = at
      },
    })
    for await (const item of followed) items.push(item)
  })().catch((error: unknown) => error)
  return {
    items,
    state,
    open: () => until('the stream is open', () => state.isOpen),
    eventIds: () => items.flatMap((item) => (item.kind === 'event' ? [item.event.id] : [])),
    async stop() {
      stop.abort()
      return ended
    },
    ended,
  }
}

async function addProject(): Promise<string> {
  return (await app.client.projects.create({ name: 'A project' })).id
}

describe('the stream', () => {
  test('tells events with their data as it was sent, and each state of a delivery', async (t) => {
    const project = await addProject()
    await app.client.endpoints.create(project, { url: receiver.url })
    const followed = follow(t, app.client, project)
    await followed.open()
    const isPendingTold = () =>
      followed.items.some((item) => item.kind === 'delivery' && item.delivery.status === 'pending')
    receiver.answer = () => ({ statusCode: isPendingTold() ? 204 : 500 })
    const { id } = await app.client.events.publish(project, {
      type: 'order.paid',
      data: rawJson('{ "total": 1.0 }'),
    })
    await until('the delivery is told as delivered', () =>
      followed.items.some(
        (item) => item.kind === 'delivery' && item.delivery.status === 'delivered',
      ),
    )
    assert.equal(followed.eventIds()[0], id)
    const [event] = followed.items.filter((item) => item.kind === 'event')
    assert.match(event?.text ?? '', /"data":\{ "total": 1\.0 \}\}$/)
    assert.ok(isPendingTold())
    await followed.stop()
  })

  test('goes on where it was, over a restart of the server', async (t) => {
    const project = await addProject()
    const publish = () => app.client.events.publish(project, { type: 'order.paid', data: {} })
    const followed = follow(t, app.client, project)
    await followed.open()
    const first = await publish()
    await until('the first is told', () => followed.eventIds().includes(first.id))
    await followed.stop()
    const missed = await publish()
    await app.restart()
    const again = follow(t, app.client, project, followed.state.position)
    await again.open()
    const last = await publish()
    await until('the last is told', () => again.eventIds().includes(last.id))
    assert.ok(again.eventIds().includes(missed.id), 'what happened in between is told')
    await again.stop()
  })

  test('tells a key without events.read of deliveries alone, and refuses one without deliveries.read', async (t) => {
    const project = await addProject()
    await app.client.endpoints.create(project, { url: receiver.url })
    const clientOf = async (scopes: ('deliveries.read' | 'events.read')[]) => {
      const { key } = await app.client.apiKeys.create(project, { name: 'k', scopes })
      return new Countersign({ baseUrl: app.app.url, apiKey: key })
    }
    const followed = follow(t, await clientOf(['deliveries.read']), project)
    await followed.open()
    await app.client.events.publish(project, { type: 'order.paid', data: {} })
    await until('the delivery is told', () => followed.items.length > 0)
    assert.deepEqual(followed.eventIds(), [])
    await followed.stop()
    const refused = await follow(t, await clientOf(['events.read']), project).ended
    assert.ok(refused instanceof ApiError)
    assert.equal(refused.status, 403)
  })

  test('is open ten times a key, and an end makes room', async (t) => {
    const project = await addProject()
    const { key } = await app.client.apiKeys.create(project, { name: 'k' })
    const client = new Countersign({ baseUrl: app.app.url, apiKey: key, retriesMax: 0 })
    const streams = Array.from({ length: 10 }, () => follow(t, client, project))
    for (const stream of streams) await stream.open()
    const open = () =>
      fetch(`${app.app.url}/v1/projects/${project}/stream`, {
        headers: { authorization: `Bearer ${key}` },
      })
    assert.equal((await open()).status, 429)
    await streams[0]?.stop()
    await until('there is room again', async () => {
      const response = await open()
      await response.body?.cancel()
      return response.status === 200
    })
    for (const stream of streams) await stream.stop()
  })

  test('is over within half a minute once the key is revoked, and says so', async (t) => {
    // Half a minute for the streams alone: nothing else of the server sees it pass.
    const real = createClock()
    let aheadMs = 0
    const monotonic = () => real.monotonic() + aheadMs
    const server = await startTestApp({ clock: { ...real, wallDrift: () => 0, monotonic } })
    t.after(() => server.dispose())
    const { id: project } = await server.client.projects.create({ name: 'A project' })
    const { id, key } = await server.client.apiKeys.create(project, { name: 'k' })
    const client = new Countersign({ baseUrl: server.app.url, apiKey: key })
    const followed = follow(t, client, project)
    await followed.open()
    const raw = await fetch(`${server.app.url}/v1/projects/${project}/stream`, {
      headers: { authorization: `Bearer ${key}` },
    })

    aheadMs += apiLimits.streamAuthorityMs
    const kept = await server.client.events.publish(project, { type: 'order.paid', data: {} })
    await until('the key still reads', () => followed.eventIds().includes(kept.id))

    await server.client.apiKeys.revoke(project, id)
    aheadMs += apiLimits.streamAuthorityMs
    await server.client.events.publish(project, { type: 'order.hidden', data: {} })
    const ended = await followed.ended
    assert.ok(ended instanceof ApiError, String(ended))
    assert.equal(ended.status, 401)
    const text = await raw.text()
    assert.ok(text.endsWith('event: end\ndata: {"code":"unauthorized"}\n\n'), text)
    assert.doesNotMatch(text, /order\.hidden/)
    assert.deepEqual(followed.eventIds(), [kept.id])
  })

  test('refuses a position that is none', async (t) => {
    const project = await addProject()
    const refused = await follow(t, app.client, project, 'yesterday').ended
    assert.ok(refused instanceof ApiError)
    assert.equal(refused.status, 422)
  })
})

describe('what a stream reads', () => {
  test('includes what was committed late, and nothing twice', async () => {
    const { reader, add } = createHistory()
    add('b', 10_000)
    assert.deepEqual(await idsOf(reader), ['b'])
    add('a', 10_000 - overlapMs)
    add('c', 10_001)
    assert.deepEqual(await idsOf(reader), ['a', 'c'])
    assert.deepEqual(await idsOf(reader), [])
  })

  test('is bounded: of more than it can hold it tells the newest, and that there is a gap', async () => {
    const { reader, add } = createHistory()
    for (let at = 0; at < itemsMax + 10; at += 1) add(`e${at}`, at)
    const ids = await idsOf(reader)
    assert.equal(ids[0], 'gap')
    assert.equal(ids.length, itemsMax + 1)
    assert.equal(ids.at(-1), `e${itemsMax + 9}`)
  })
})

function createHistory() {
  const events: Event[] = []
  const byId = new Map<string, Event>()
  let sorted: Event[] | null = null
  const storage = {
    async listEvents(_project: string, { limit, after }: { limit: number; after: string | null }) {
      sorted ??= events.toSorted((a, b) => b.createdAt - a.createdAt)
      const from = after === null ? 0 : Number(after)
      const items = sorted.slice(from, from + limit)
      const hasMore = from + limit < sorted.length
      return { items, hasMore, nextKey: hasMore ? String(from + limit) : null }
    },
    getEvent: async (_project: string, id: string) => byId.get(id) ?? null,
  } as unknown as Reads
  const tells = { events: true, deliveries: false }
  return {
    reader: createStreamReader({ storage, projectId: 'p', tells, floor: 0, position: 0 }),
    add(id: string, createdAt: number) {
      events.push({ id, createdAt } as Event)
      byId.set(id, { id, createdAt } as Event)
      sorted = null
    },
  }
}

async function idsOf(reader: ReturnType<typeof createStreamReader>): Promise<string[]> {
  const ids: string[] = []
  for await (const item of reader.poll())
    ids.push(item.kind === 'event' ? item.event.id : item.kind)
  return ids
}
