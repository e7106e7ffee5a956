import assert from 'node:assert/strict'
import { ApiError, Countersign, type CreatedEndpoint, type RotatedSecret } from '@countersign/sdk'
import { readDeliveries, readState } from './check-invariants.ts'
import type { FailingStorage } from './failing-storage.ts'
import type { Received, Receiver } from './receiver.ts'
import type { TestApp } from './start-test-app.ts'
import { until } from './until.ts'
import { createWireClient, type Problem, type Wire } from './wire.ts'

/** Calls to a server whose store fails once, and what has to hold then. */
export interface RefusedRound {
  name: string
  client: Countersign
  receiver: Receiver
  /** The client with another key than the root key. */
  clientWith(apiKey: string): Countersign
  /** Says what stands behind the server's store from here on. */
  watch(failing: FailingStorage): void
  /**
   * Calls. Where the failure makes it a 503, checks that nothing was stored and calls again, under
   * the same Idempotency-Key.
   */
  call<T>(
    project: string,
    send: (post: { idempotencyKey: string }) => Promise<T>,
    exceptions?: {
      onRefused?: () => Promise<void>
      /** What a refused call may have changed. */
      mayLeave?: readonly string[]
      /** The status of an error that is right, and is passed on. */
      expects?: number
    },
  ): Promise<T>
  publish(project: string, type: string): Promise<string>
  publishWithoutKey(project: string): Promise<string>
  /** Waits for the request that was answered with 2xx, and for its record. */
  delivered(event: string): Promise<Received>
  becomes(
    event: string,
    delivery: Awaited<ReturnType<typeof readDeliveries>>[number],
  ): Promise<void>
  /** Waits until the store is left alone: not called between two looks, or so many. */
  settled(quietLooksMin?: number): Promise<void>
  refusalCount(): number
}

export function createRefusedRound(options: {
  name: string
  client: Countersign
  server: TestApp
  receiver: Receiver
}): RefusedRound {
  const { name, client, receiver, server } = options
  const { store } = server
  const wire = createWireClient({ url: () => server.app.url, key: () => server.rootKey })
  let failing: FailingStorage | null = null
  let callCount = 0
  let refusalCount = 0
  receiver.answer = answerByType()

  const round: RefusedRound = {
    name,
    client,
    receiver,
    clientWith: (apiKey) => new Countersign({ baseUrl: server.app.url, apiKey, retriesMax: 0 }),
    watch(given) {
      failing = given
    },
    async call(project, send, { onRefused, mayLeave = [], expects } = {}) {
      const idempotencyKey = `${name}-${callCount++}`.replaceAll(/[^\w-]+/g, '-')
      const before = await readState(store, project)
      try {
        return await send({ idempotencyKey })
      } catch (error) {
        if (error instanceof ApiError && error.status === expects) throw error
        const where = `call ${callCount} was refused at ${failing?.failedAt()}`
        assertUnavailable(error, where)
        refusalCount++
        for (const [what, rows] of Object.entries(await readState(store, project))) {
          if (mayLeave.includes(what)) continue
          assert.deepEqual(rows, before[what], `${what} changed, though ${where}`)
        }
        await onRefused?.()
        return send({ idempotencyKey })
      }
    },
    async publish(project, type) {
      const event = { type, data: { round: name } }
      return (await round.call(project, (post) => client.events.publish(project, event, post))).id
    },
    async publishWithoutKey(project) {
      const { status, body } = await wire<Wire.PublishedEvent & Problem>(
        'POST',
        `/projects/${project}/events`,
        { body: { type: 'plain', data: {} } },
      )
      if (status !== 202) throw new ProblemError(status, body.code)
      return body.id
    },
    async delivered(event) {
      await until(`${event} is delivered`, () => receiver.deliveredIds.has(event))
      await until('the outcome is recorded', async () => {
        const deliveries = await readDeliveries(store, event)
        return deliveries.every(({ status }) => status === 'delivered')
      })
      const request = receiver.received.findLast(({ id }) => id === event)
      assert.ok(request)
      return request
    },
    async becomes(event, delivery) {
      const expected = JSON.stringify([delivery])
      const isSo = async () => JSON.stringify(await readDeliveries(store, event)) === expected
      await until(`${event} becomes ${expected}`, isSo)
    },
    async settled(quietLooksMin = 1) {
      let countBefore = -1
      let quietLooks = 0
      await until('the store is left alone', () => {
        const callCount = failing?.callCount() ?? 0
        quietLooks = callCount === countBefore ? quietLooks + 1 : 0
        countBefore = callCount
        return quietLooks >= quietLooksMin
      })
    },
    refusalCount: () => refusalCount,
  }
  return round
}

/** What a chapter finds: a project whose endpoint the sender knows. */
export interface Scene {
  project: string
  endpoint: CreatedEndpoint
  /** The rotation that is open; null where none is. */
  rotated: RotatedSecret | null
  /** A delivered event. */
  event: string
}

export async function prepareScene(
  { name, client, receiver, delivered }: RefusedRound,
  { isRotating }: { isRotating: boolean },
): Promise<Scene> {
  const { id: project } = await client.projects.create({ name })
  const endpoint = await client.endpoints.create(project, { url: receiver.url })
  receiver.secrets = [endpoint.secret]
  const { id: event } = await client.events.publish(project, { type: 'plain', data: {} })
  await delivered(event)
  const rotated = isRotating
    ? await client.endpoints.rotateSecret(project, endpoint.id, { expireCurrentIn: 3600 })
    : null
  return { project, endpoint, rotated, event }
}

/** Both clients take a `code` from a problem document only. */
export function assertUnavailable(error: unknown, where: string): void {
  if (!(error instanceof ApiError || error instanceof ProblemError)) throw error
  assert.equal(error.status, 503, `${error.message}; ${where}`)
  assert.equal(error.code, 'storage_unavailable', where)
}

class ProblemError extends Error {
  readonly status: number
  readonly code: string

  constructor(status: number, code: string) {
    super(`${status} ${code}`)
    this.status = status
    this.code = code
  }
}

function answerByType(): Receiver['answer'] {
  const failedIds = new Set<string>()
  return ({ id, body }) => {
    const { type } = JSON.parse(body) as { type: string }
    if (type === 'asks.for.patience') return { statusCode: 429, headers: { 'retry-after': '3600' } }
    if (type !== 'fails.once' || failedIds.has(id)) return { statusCode: 204 }
    failedIds.add(id)
    return { statusCode: 500 }
  }
}
