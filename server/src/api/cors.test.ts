import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi } from '../../test/support/test-api.ts'

const origin = 'https://console.example.com'

const preflight = (from: string) => ({
  origin: from,
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization,content-type,idempotency-key',
})

test('answers the preflight of an allowed origin, on every API', async () => {
  await using server = await createTestApi({ corsOrigins: [origin, 'https://other.example.com'] })
  for (const path of ['/v1/projects', '/v1/projects/prj_1/endpoints', '/webhooks', '/nowhere']) {
    const reply = await server.send('OPTIONS', path, { headers: preflight(origin) })
    assert.equal(reply.status, 204, path)
    assert.equal(reply.headers['access-control-allow-origin'], origin)
    assert.match(String(reply.headers['access-control-allow-headers']), /Authorization/)
    assert.match(String(reply.headers['access-control-allow-methods']), /POST/)
    assert.match(String(reply.headers.vary), /Origin/)
    assert.equal(reply.headers['access-control-allow-credentials'], undefined)
  }
})

test('lets an allowed origin read answers and errors, and what they say in headers', async () => {
  await using server = await createTestApi({ corsOrigins: [origin] })
  const project = await server.addProject()
  for (const key of [project.key, 'csk_wrong']) {
    const headers = { origin, authorization: `Bearer ${key}` }
    const reply = await server.send('GET', project.path, { headers })
    assert.equal(reply.headers['access-control-allow-origin'], origin)
    assert.match(String(reply.headers['access-control-expose-headers']), /X-Request-Id/)
  }
})

test('tells no other origin anything, and by default none at all', async () => {
  const stranger = 'https://console.example.com.evil.example'
  await using open = await createTestApi({ corsOrigins: [origin] })
  await using closed = await createTestApi()
  for (const [server, from] of [
    [open, stranger],
    [open, 'null'],
    [closed, origin],
  ] as const) {
    for (const method of ['GET', 'OPTIONS'] as const) {
      const reply = await server.send(method, '/v1/projects', { headers: preflight(from) })
      assert.notEqual(reply.headers['access-control-allow-origin'], from)
      assert.notEqual(reply.headers['access-control-allow-origin'], '*')
    }
  }
})
