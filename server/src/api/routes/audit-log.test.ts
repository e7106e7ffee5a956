import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi } from '../../../test/support/test-api.ts'

test('tells who changed what, when and from where', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  server.clock.advance(60_000)
  const created = await server.call('POST', `${project.path}/endpoints`, {
    key: project.key,
    body: { url: 'https://a.example/' },
  })
  const list = async (query = '') =>
    (await server.call('GET', `${project.path}/audit-log${query}`)).body.data
  const [row, ...older] = await list()
  const { id, actor, details, ...rest } = row
  assert.match(id, /^aud_/)
  assert.equal(actor.type, 'key')
  assert.equal(details.url, 'https://a.example/')
  assert.deepEqual(rest, {
    at: '2026-11-01T10:01:00.000Z',
    action: 'endpoint.created',
    target: { type: 'endpoint', id: created.body.id },
    reason: null,
    request_id: created.headers['x-request-id'],
    source_address: '127.0.0.1',
  })
  assert.deepEqual(
    older.map(({ action }: { action: string }) => action),
    ['api_key.created', 'project.created'],
  )
  assert.equal((await list(`?actor=${actor.id}`)).length, 1)
  assert.equal((await list('?action=project.created')).length, 1)
  assert.equal((await list('?since=2026-11-01T10:00:30Z')).length, 1)
  assert.equal((await list('?limit=2')).length, 2)
})

test('believes a proxy only where it is trusted', async () => {
  for (const [trustedProxies, address] of [
    [undefined, '127.0.0.1'],
    [['127.0.0.0/8'], '203.0.113.9'],
    [['198.51.100.1'], '127.0.0.1'],
  ] as const) {
    await using server = await createTestApi(trustedProxies === undefined ? {} : { trustedProxies })
    const project = await server.addProject()
    await server.call('POST', `${project.path}/endpoints`, {
      body: { url: 'https://a.example/' },
      headers: { 'x-forwarded-for': '10.0.0.1, 203.0.113.9' },
    })
    const { body } = await server.call('GET', `${project.path}/audit-log`)
    assert.equal(body.data[0].source_address, address)
  }
})

test('what a trusted proxy passes on is the address only where it is one', async () => {
  await using server = await createTestApi({ trustedProxies: ['127.0.0.1/32'] })
  const seen: string[] = []
  for (const forwarded of [
    '203.0.113.9',
    'not an address',
    '203.0.113.9, unknown',
    '2001:db8::1',
  ]) {
    const { body } = await server.call('POST', '/v1/projects', {
      headers: { 'x-forwarded-for': forwarded },
      body: { name: 'a' },
    })
    const rows = await server.call('GET', `/v1/projects/${body.id}/audit-log`)
    seen.push(rows.body.data[0].source_address)
  }
  // Else a guesser would have a new address for each guess, and the record any text.
  assert.deepEqual(seen, ['203.0.113.9', '127.0.0.1', '127.0.0.1', '2001:db8::1'])
})
