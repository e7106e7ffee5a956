import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { neverAnswers } from './support/hostile-receivers.ts'
import { startTestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'

test('a stop keeps one deadline, whoever hangs: a client, a receiver or both', async (t) => {
  const deadlineMs = 3_000
  const server = await startTestApp()
  await using receiver = await neverAnswers()
  t.after(() => server.dispose())
  const project = (await server.client.projects.create({ name: 'A project' })).id
  await server.client.endpoints.create(project, { url: receiver.url })
  await server.client.events.publish(project, { type: 'a.b', data: {} })
  await until('the receiver was asked', () => receiver.connectionsOpen === 1)
  const { hostname, port } = new URL(server.app.url)
  const client = connect(Number(port), hostname)
  t.after(() => client.destroy())
  client.on('error', () => {})
  const head = [
    'POST /v1/projects HTTP/1.1',
    'Host: x',
    `Authorization: Bearer ${server.rootKey}`,
    'Content-Type: application/json',
    'Expect: 100-continue',
    'Content-Length: 100',
  ]
  client.write(`${head.join('\r\n')}\r\n\r\n`)
  // The server reads the request, whose body never comes.
  await new Promise((resolve) => client.once('data', resolve))

  const began = performance.now()
  await server.app.stop(deadlineMs)
  const tookMs = performance.now() - began
  assert.ok(tookMs >= deadlineMs - 100, `the attempt was given its time: ${tookMs} ms`)
  assert.ok(tookMs < 1.7 * deadlineMs, `took ${tookMs} ms`)
})
