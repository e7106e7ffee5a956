import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, describe, test } from 'node:test'
import {
  type CreatedEndpoint,
  expressWebhookHandler,
  type WebhookFormatName,
} from '@countersign/sdk'
import { type Receiver, startReceiver } from './support/receiver.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'

describe('secret ids in every format (rotation.md section 5)', () => {
  let server: TestApp
  let project: string

  before(async () => {
    server = await startTestApp()
  })
  beforeEach(async () => {
    project = (await server.client.projects.create({ name: 'ids' })).id
  })
  after(() => server.dispose())

  const set = (secretIdsInEveryFormat: boolean) =>
    server.client.projects.update(project, { settings: { secretIdsInEveryFormat } })
  const publish = () =>
    server.client.events.publish(project, { type: 'order.paid', data: { order: 1 } })
  const secretOf = ({ secret }: { secret?: string | undefined }) => secret ?? assert.fail()

  for (const format of ['mobilerun', 'composio', 'dinie', 'stripe'] as const) {
    test(`what a receiver of ${format} reports is counted, where the project wants it`, async () => {
      const { endpoints, rotations } = server.client
      await using receiver = await startVerifyingReceiver(format)
      const made = await endpoints.create(project, { url: receiver.url, format })
      const rotated = await endpoints.rotateSecret(project, made.id)
      receiver.secrets = [secretOf(made)]
      await publish()
      await until('one came', () => receiver.received.length === 1)
      assert.equal(receiver.received[0]?.['webhook-secret-ids'], undefined)

      await set(true)
      await publish()
      await until('another came', () => receiver.received.length === 2)
      const { previousSecretId } = rotated.rotation
      const ids = [rotated.secretId, previousSecretId]
      assert.equal(receiver.received[1]?.['webhook-secret-ids'], ids.join(','))
      receiver.secrets = [secretOf(made), secretOf(rotated)]
      for (let count = 0; count < 2; count += 1) await publish()
      const counts = async () => {
        const { evidence } = await rotations.get(project, made.id, rotated.rotation.id)
        const reported = evidence?.receiverReported ?? []
        return Object.fromEntries(reported.map(({ secretId, count }) => [secretId, count]))
      }
      await until('three are counted', async () => {
        const own = Object.values(await counts())
        return own.reduce((sum, count) => sum + count, 0) === 3
      })
      assert.deepEqual(await counts(), { [String(previousSecretId)]: 1, [rotated.secretId]: 2 })
    })
  }

  test('the very next delivery of every endpoint follows a change', async () => {
    await using receiver = await startDisposableReceiver()
    const made: CreatedEndpoint[] = []
    for (const format of ['h-company', 'devtune', 'github', 'stripe', 'standard'] as const) {
      made.push(await server.client.endpoints.create(project, { url: receiver.url, format }))
    }
    const namesOf = async () => {
      receiver.received = []
      await publish()
      await until('all have theirs', () => receiver.received.length === made.length)
      return receiver.received.map(({ headers }) => headers['webhook-secret-ids'] ?? 'none').sort()
    }
    const standardId = String(made.at(-1)?.secretId)
    const onlyStandard = ['none', 'none', 'none', 'none', standardId].sort()
    const all = made.map(({ secretId }) => secretId).sort()
    assert.deepEqual(await namesOf(), onlyStandard)
    await set(true)
    assert.deepEqual(await namesOf(), all)
    await set(false)
    assert.deepEqual(await namesOf(), onlyStandard)
  })

  test('a project’s schedule of retries holds for endpoints that were sent to before', async () => {
    await using receiver = await startDisposableReceiver()
    const { client } = server
    await client.endpoints.create(project, { url: receiver.url })
    await publish()
    await until('one is delivered', () => receiver.deliveredIds.size === 1)
    await client.projects.update(project, { settings: { retrySchedule: '10h' } })
    receiver.answer = () => ({ statusCode: 500 })
    const { id } = await publish()
    const delivery = async () => {
      const { data } = await client.deliveries.list(project, { event: id }).page()
      return data[0] ?? assert.fail()
    }
    await until('it has failed once', async () => (await delivery()).attemptCount === 1)
    const waitsMs = Date.parse((await delivery()).nextAttemptAt ?? '') - Date.now()
    assert.ok(waitsMs > 5 * 3_600_000, `${waitsMs} ms`)
  })

  test('a custom header cannot take its name, whatever the format', async () => {
    const url = 'https://example.com/hook'
    const headers = { 'Webhook-Secret-Ids': 'sec_x' }
    for (const format of ['stripe', 'devtune', 'standard'] as const) {
      const refused = server.client.endpoints.create(project, { url, format, headers })
      await assert.rejects(refused, { status: 422, code: 'validation_failed' })
    }
  })
})

/** Verifies as a customer's would, with the SDK, whose adapter reports the secret by itself. */
async function startVerifyingReceiver(format: WebhookFormatName) {
  const received: IncomingHttpHeaders[] = []
  const receiver = { url: '', received, secrets: [] as string[], [Symbol.asyncDispose]: close }
  const handle = expressWebhookHandler({
    format,
    secrets: () => receiver.secrets,
    onEvent: () => undefined,
  })
  const http = createServer((request, response) => {
    received.push(request.headers)
    void handle(request, response, () => void response.writeHead(500).end())
  })
  async function close() {
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
  }
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  receiver.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/hook`
  return receiver
}

async function startDisposableReceiver(): Promise<Receiver & AsyncDisposable> {
  const receiver = await startReceiver()
  return Object.assign(receiver, { [Symbol.asyncDispose]: () => receiver.close() })
}
