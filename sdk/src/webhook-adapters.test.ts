import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import express from 'express'
import { fastify } from 'fastify'
import { Hono } from 'hono'
import { signDelivery, signedAt, signWebhook, testSecret } from '../test/sign-webhook.ts'
import { memorySeenStore } from './seen-store.ts'
import { expressWebhookHandler, fastifyWebhooks, webhookHandler } from './webhook-adapters.ts'
import type { WebhookReceiverOptions } from './webhook-receiver.ts'

const secrets = ['old', 'new'].map((name) => testSecret('standard', name))
/** Bytes that a parser would write otherwise. */
const body = '{ "type":"order.paid",  "data":{"n":1.0,"name":"\\u00e9 é"} }'

interface Framework {
  name: string
  /** Serves the receiver under `/webhooks`; resolves to the address of it. */
  serve(options: WebhookReceiverOptions): Promise<Served>
}

interface Served extends AsyncDisposable {
  url: string
}

const frameworks: readonly Framework[] = [
  {
    name: 'Express',
    serve: (options) => {
      const app = express().set('env', 'test')
      app.post('/webhooks', expressWebhookHandler(options))
      app.use(express.json())
      return listen(app)
    },
  },
  {
    name: 'Express behind its raw parser',
    serve: (options) => {
      const app = express().set('env', 'test')
      app.use(express.raw({ type: '*/*', limit: '4mb' }))
      app.post('/webhooks', expressWebhookHandler(options))
      return listen(app)
    },
  },
  {
    name: 'node:http, with the handler for Express',
    serve: (options) => {
      const handle = expressWebhookHandler(options)
      return listen((request, response) => {
        void handle(request, response, () => response.writeHead(500).end())
      })
    },
  },
  {
    name: 'Fastify',
    async serve(options) {
      const app = fastify()
      app.post('/parsed', async (request) => request.body)
      app.register(fastifyWebhooks('/webhooks', options))
      const url = await app.listen({ host: '127.0.0.1', port: 0 })
      // Beside the plugin, bodies are parsed as ever.
      const parsed = await post(`${url}/parsed`, { 'content-type': 'application/json' }, '{"a":1}')
      assert.deepEqual(await parsed.json(), { a: 1 })
      return { url: `${url}/webhooks`, [Symbol.asyncDispose]: () => app.close() }
    },
  },
  {
    name: 'Hono, by Request and Response',
    serve: (options) => {
      const handle = webhookHandler(options)
      const app = new Hono().post('/webhooks', (c) => handle(c.req.raw))
      app.onError((_error, c) => c.text('failed', 500))
      return listen(async (incoming, outgoing) => {
        const response = await app.fetch(
          new Request(`http://127.0.0.1${incoming.url}`, {
            method: incoming.method ?? '',
            headers: Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
            body: Readable.toWeb(incoming) as ReadableStream<Uint8Array>,
            duplex: 'half',
          } as RequestInit),
        )
        const text = await response.text()
        outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(text)
      })
    },
  },
]

for (const { name, serve } of frameworks) {
  describe(name, () => {
    test('hands over what is signed with either secret, and tells which it was', async () => {
      const events: unknown[] = []
      await using served = await serve({
        secrets,
        now: signedAt,
        onEvent: (event) => events.push([event.id, event.type, event.data]),
      })
      for (const [secret, secretId] of [
        [secrets[0], 'sec_old'],
        [secrets[1], 'sec_new'],
      ] as const) {
        const headers = signWebhook({ body, secrets: [secret ?? ''], secretIds: [secretId] })
        const answer = await post(served.url, headers, body)
        assert.equal(answer.status, 204)
        assert.equal(answer.headers.get('webhook-verified-secret'), secretId)
        assert.equal(await answer.text(), '')
      }
      const event = ['evt_1', 'order.paid', { n: 1, name: 'é é' }]
      assert.deepEqual(events, [event, event])
    })

    test('refuses what is not, with the reason, and hands nothing over', async () => {
      await using served = await serve({
        secrets,
        now: signedAt,
        onEvent: () => assert.fail('was handed over'),
      })
      const good = signWebhook({ body, secrets })
      const changed = await post(served.url, good, body.replace('1.0', '1.1'))
      assert.deepEqual([changed.status, await changed.text()], [401, 'no_match'])
      const unsigned = await post(served.url, {}, body)
      assert.deepEqual([unsigned.status, await unsigned.text()], [401, 'missing_header'])
      const empty = await post(served.url, good, '')
      assert.deepEqual([empty.status, await empty.text()], [401, 'no_match'])
    })

    test('lets the sender try again where handling fails, then handles once', async () => {
      let calls = 0
      await using served = await serve({
        secrets,
        now: signedAt,
        seen: memorySeenStore(),
        onEvent() {
          calls += 1
          if (calls === 1) throw new Error('no database')
        },
      })
      const headers = signWebhook({ body, secrets })
      const statuses = []
      for (let attempt = 0; attempt < 3; attempt += 1) {
        statuses.push((await post(served.url, headers, body)).status)
      }
      assert.deepEqual(statuses, [500, 204, 204])
      assert.equal(calls, 2)
    })

    test('refuses a body above the bound', async () => {
      await using served = await serve({
        secrets,
        now: signedAt,
        bodyBytesMax: body.length,
        onEvent: () => assert.fail('was handed over'),
      })
      const long = body.padEnd(300_000)
      const answer = await post(served.url, signWebhook({ body: long, secrets }), long)
      assert.equal(answer.status, 413)
    })
  })
}

test('tells who put a parser before the handler for Express', async () => {
  const app = express().set('env', 'test')
  app.use(express.json())
  app.post('/webhooks', expressWebhookHandler({ secrets, now: signedAt, onEvent: () => {} }))
  const errors: unknown[] = []
  const note: express.ErrorRequestHandler = (error, _request, response, _next) => {
    errors.push(error)
    response.sendStatus(500)
  }
  app.use(note)
  await using served = await listen(app)
  const headers = { ...signWebhook({ body, secrets }), 'content-type': 'application/json' }
  assert.equal((await post(served.url, headers, body)).status, 500)
  assert.match(String(errors[0]), /TypeError: a body parser has taken the body/)
})

test('asks for the secrets at each delivery', async () => {
  const inForce = [secrets[0] ?? '']
  const handle = webhookHandler({ secrets: async () => inForce, now: signedAt, onEvent: () => {} })
  const headers = signWebhook({ body, secrets: [secrets[1] ?? ''] })
  const request = () => new Request('http://127.0.0.1/', { method: 'POST', headers, body })
  assert.equal((await handle(request())).status, 401)
  inForce.push(secrets[1] ?? '')
  assert.equal((await handle(request())).status, 204)
})

test('answers 409 while the same event is being handled', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const seen = memorySeenStore()
  const handle = webhookHandler({ secrets, now: signedAt, seen, onEvent: () => promise })
  const headers = signWebhook({ body, secrets })
  const request = () => new Request('http://127.0.0.1/', { method: 'POST', headers, body })
  // Whichever comes first is held up in onEvent, so the other one finds it there.
  const both = [handle(request()), handle(request())]
  assert.equal((await Promise.race(both)).status, 409)
  resolve()
  const statuses = (await Promise.all(both)).map(({ status }) => status)
  assert.deepEqual(statuses.sort(), [204, 409])
})

test('reads every format, and wants a name for events without an id', async () => {
  const deliver = async (seenAs?: () => string) => {
    const secret = testSecret('devtune', 'one')
    const { body: devtuneBody, headers } = signDelivery({ format: 'devtune', secrets: [secret] })
    const seen = memorySeenStore()
    const options = { format: 'devtune', secrets: secret, seen, seenAs, onEvent: () => {} } as const
    const request = { method: 'POST', headers, body: devtuneBody }
    return webhookHandler(options)(new Request('http://127.0.0.1/', request))
  }
  assert.equal((await deliver(() => 'a name')).status, 204)
  await assert.rejects(deliver(), /seenAs/)
})

async function listen(listener: RequestListener): Promise<Served> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function post(url: string, headers: Record<string, string>, text: string): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: text,
  })
}
