import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi } from '../../test/support/test-api.ts'

test('says that it is alive and ready', async () => {
  await using server = await createTestApi()
  const health = await server.call('GET', '/healthz', { key: null })
  assert.equal(health.status, 200)
  assert.deepEqual(health.body, { status: 'ok' })
  assert.equal((await server.call('GET', '/readyz', { key: null })).status, 200)
  const p = await server.addProject()
  const e = await server.call('POST', `${p.path}/endpoints`, { body: { url: 'https://a.example/x', headers: {'X-A': 'b'} } })
  console.log(e.status, e.text)
  const r = await server.call('POST', `${p.path}/endpoints/${e.body.id}/secret/rotate`, { headers: {'idempotency-key': 'k'} })
  console.log(r.status, r.text)
  const r2 = await server.call('POST', `${p.path}/endpoints/${e.body.id}/secret/rotate`, { headers: {'idempotency-key': 'k'} })
  console.log(r2.status, r2.text === r.text, r2.headers)
  const x = await server.call('POST', `${p.path}/events`, { body: {type: 'a.b', data: {x:1}}, key: p.key })
  console.log(x.status, x.text)
})
