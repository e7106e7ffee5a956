import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { describe, test } from 'node:test'
import { nodePrograms, preparePrograms } from './programs.ts'
import { type LoadOptions, runLoad } from './run-load.ts'

const compiled = await preparePrograms()
const noCompiler = compiled.implementation === 'node' && 'no gcc, so there is no compiled load'
const bearer = 'Bearer csk_test'

for (const programs of [nodePrograms(), compiled]) {
  const isCompiled = programs === compiled
  const options = { skip: isCompiled && noCompiler }

  describe(`load generator (${isCompiled ? 'c' : 'node'})`, options, () => {
    test('publishes exactly the count, 1 KB of data each, with the key, on the path', async () => {
      const seen: { path: string | undefined; type: string; dataBytes: number; key: string }[] = []
      await using server = await startServer((request, body) => {
        const { type, data } = JSON.parse(body) as { type: string; data: object }
        seen.push({
          path: request.url,
          type,
          dataBytes: JSON.stringify(data).length,
          key: request.headers.authorization ?? '',
        })
        return 202
      })
      await using load = runLoad(programs, traffic({ port: server.port, count: 500 }))
      const result = await load.result
      const { accepted, sent, failed, statuses } = result
      assert.deepEqual({ accepted, sent, failed }, { accepted: 500, sent: 500, failed: 0 })
      assert.deepEqual(statuses, { 202: 500 })
      assert.equal(result.acceptUs.count, 500)
      assert.ok(result.acceptUs.p50Us > 0 && result.acceptUs.p50Us <= result.acceptUs.maxUs)
      assert.equal(seen.length, 500)
      const expected = { path: '/v1/events', type: 'bench.load', dataBytes: 1024, key: bearer }
      for (const request of seen) assert.deepEqual(request, expected)
    })

    test('publishes batches, every event with its stamp, and counts the events', async () => {
      const bodies: string[] = []
      await using server = await startServer((_request, body) => {
        bodies.push(body)
        return 202
      })
      const bounds = { port: server.port, count: 3, connections: 1, batch: 100, bytes: 200 }
      await using load = runLoad(programs, traffic(bounds))
      const { accepted, sent } = await load.result
      assert.deepEqual({ accepted, sent }, { accepted: 300, sent: 3 })
      for (const body of bodies) {
        const { events } = JSON.parse(body) as {
          events: { type: string; data: { sent_at_us: string } }[]
        }
        assert.equal(events.length, 100)
        assert.equal(new Set(events.map(({ data }) => data.sent_at_us)).size, 1)
        assert.ok(Number(events[0]?.data.sent_at_us) > 0)
        assert.equal(JSON.stringify(events[99]?.data).length, 200)
      }
    })

    test('publishes 64 KB of data', async () => {
      let dataBytes = 0
      await using server = await startServer((_request, body) => {
        dataBytes = JSON.stringify((JSON.parse(body) as { data: object }).data).length
        return 202
      })
      await using load = runLoad(
        programs,
        traffic({ port: server.port, count: 1, bytes: 64 * 1024 }),
      )
      assert.equal((await load.result).accepted, 1)
      assert.equal(dataBytes, 64 * 1024)
    })

    test('tells every status apart, and accepts only 202', async () => {
      let calls = 0
      await using server = await startServer(() => [202, 429, 202, 500][calls++ % 4] ?? 0)
      await using load = runLoad(programs, traffic({ port: server.port, count: 400 }))
      const { accepted, statuses } = await load.result
      assert.equal(accepted, 200)
      assert.deepEqual(statuses, { 202: 200, 429: 100, 500: 100 })
    })

    test('ends at its time bound when the count is out of reach', async () => {
      await using server = await startServer(() => 202)
      await using load = runLoad(
        programs,
        traffic({ port: server.port, count: 2_000_000, timeMaxMs: 300 }),
      )
      const result = await load.result
      assert.ok(result.sent > 0 && result.sent < 2_000_000)
      assert.equal(result.accepted, result.sent)
      assert.ok(result.elapsedUs >= 300_000)
    })

    test('paces events, and stamps each with the time at which it was due', async () => {
      const stamps: number[] = []
      await using server = await startServer((_request, body) => {
        stamps.push(Number(JSON.parse(body).data.sent_at_us))
        return 202
      })
      await using load = runLoad(programs, traffic({ port: server.port, count: 50, rate: 200 }))
      const result = await load.result
      assert.equal(result.accepted, 50)
      assert.ok(result.elapsedUs >= (49 * 1e6) / 200, `${result.elapsedUs} µs`)
      stamps.sort((a, b) => a - b)
      const gaps = stamps.slice(1).map((stamp, index) => stamp - (stamps[index] ?? 0))
      assert.deepEqual(new Set(gaps), new Set([5000]))
    })

    test('counts a publish that was cut off as failed, and goes on', async () => {
      let calls = 0
      await using server = await startServer((request) => {
        calls += 1
        if (calls !== 7) return 202
        request.socket.destroy()
        return null
      })
      await using load = runLoad(programs, traffic({ port: server.port, count: 60 }))
      const { accepted, sent, failed } = await load.result
      assert.deepEqual({ accepted, sent, failed }, { accepted: 59, sent: 60, failed: 1 })
    })

    test('fails when nobody listens', async () => {
      await using load = runLoad(programs, traffic({ port: 1, count: 1 }))
      await assert.rejects(load.result, /ended with/)
    })
  })
}

function traffic(options: Partial<LoadOptions> & Pick<LoadOptions, 'port' | 'count'>) {
  return {
    path: '/v1/events',
    key: 'csk_test',
    type: 'bench.load',
    connections: 4,
    timeMaxMs: 20_000,
    rate: 0,
    ...options,
  }
}

async function startServer(answer: (request: IncomingMessage, body: string) => number | null) {
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      const status = answer(request, body)
      if (status === null) return
      const text = '{"id":"evt_1"}'
      response.writeHead(status, { 'content-length': text.length }).end(text)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
