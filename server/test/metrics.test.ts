import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Environment } from '../src/config.ts'
import { startReceiver } from './support/receiver.ts'
import { startTestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'

test('the port without a key listens on an address of its own, loopback unless told otherwise', async (t) => {
  const urlsOf = async (environment: Environment) => {
    const server = await startTestApp({
      environment: { COUNTERSIGN_METRICS_PORT: '0', ...environment },
    })
    t.after(() => server.dispose())
    const { url, metricsUrl } = server.app
    assert.ok(metricsUrl)
    assert.equal((await fetch(`${metricsUrl}/metrics`)).status, 200)
    return [url, metricsUrl].map((each) => new URL(each).hostname)
  }
  assert.deepEqual(await urlsOf({ COUNTERSIGN_HOST: '127.0.0.2' }), ['127.0.0.2', '127.0.0.1'])
  assert.deepEqual(await urlsOf({ COUNTERSIGN_METRICS_HOST: '127.0.0.3' }), [
    '127.0.0.1',
    '127.0.0.3',
  ])
})

test('the metrics follow an event from its acceptance to its delivery', async (t) => {
  const server = await startTestApp()
  const receiver = await startReceiver()
  t.after(async () => {
    await receiver.close()
    await server.dispose()
  })
  const read = async () => {
    const response = await fetch(`${server.app.url}/metrics`, {
      headers: { authorization: `Bearer ${server.rootKey}` },
    })
    assert.equal(response.status, 200)
    const lines = (await response.text()).split('\n').filter((line) => !line.startsWith('#'))
    return (name: string) => {
      const line = lines.find((each) => each.startsWith(`${name} `))
      // A label that has not been counted yet has no line.
      return line === undefined ? 0 : Number(line.slice(name.length + 1))
    }
  }
  const before = await read()
  assert.equal(before('countersign_events_accepted_total'), 0)
  const project = (await server.client.projects.create({ name: 'Measured' })).id
  const endpoint = await server.client.endpoints.create(project, { url: receiver.url })
  for (let count = 0; count < 3; count += 1) {
    await server.client.events.publish(project, { type: 'a.b', data: {} })
  }
  await server.client.endpoints.rotateSecret(project, endpoint.id, { expireCurrentIn: 60 })
  await until('all are delivered', async () => {
    return (await read())('countersign_deliveries_total{status="delivered"}') === 3
  })
  const after = await read()
  assert.equal(after('countersign_events_accepted_total'), 3)
  assert.equal(after('countersign_attempts_total{outcome="success"}'), 3)
  assert.equal(after('countersign_first_attempt_delay_seconds_count'), 3)
  assert.equal(after('countersign_attempt_duration_seconds_count'), 3)
  assert.equal(after('countersign_backlog'), 0)
  assert.equal(after('countersign_rotations_open'), 1)
  assert.ok(after('countersign_store_duration_seconds_count') >= 5, 'commits were timed')
  assert.ok(after('countersign_store_duration_seconds_sum') > 0)
  assert.ok(after('countersign_event_loop_lag_seconds') >= 0)
})
