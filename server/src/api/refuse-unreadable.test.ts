import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { refuseUnreadable } from './refuse-unreadable.ts'

test('answers 408 to a request whose time has run out', async () => {
  await using server = createServer({ requestTimeout: 1, connectionsCheckingInterval: 5 })
  const answer = await exchange(server, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n')
  assert.match(answer, /^HTTP\/1\.1 408 Request Timeout\r\n/)
  assert.match(answer, /"type":"https:\/\/a\.example\/docs\/errors#request_timeout"/)
  assert.match(answer, /"instance":"req_1"/)
})

test('answers once, however much follows, and cuts off a client that stays', async () => {
  await using server = createServer()
  const answer = await exchange(server, 'nonsense\r\n\r\n', 'more nonsense\r\n\r\n')
  assert.equal(answer.match(/HTTP\/1\.1 400 Bad Request/g)?.length, 1)
})

/** Sends the parts and keeps its side open: resolves with what came when the server cuts it off. */
async function exchange(server: Server, ...parts: string[]): Promise<string> {
  const options = { requestId: 'req_1', publicUrl: 'https://a.example', lingerMs: 50 }
  const isCutOff = Promise.withResolvers<void>()
  server.on('clientError', (error, socket) => {
    socket.once('close', () => isCutOff.resolve())
    refuseUnreadable(error, socket as never, options)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  // Being cut off may reach the client as an error; that it was is known from the server's side.
  client.setEncoding('utf8').on('error', () => {})
  let answer = ''
  client.on('data', (piece) => {
    answer += piece
  })
  const [first = '', ...rest] = parts
  client.write(first)
  await once(client, 'data')
  for (const part of rest) client.write(part)
  client.setTimeout(10_000, () => isCutOff.reject(new Error('The client was not cut off.')))
  await isCutOff.promise.finally(() => client.destroy())
  return answer
}
