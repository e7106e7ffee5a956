import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { Composio } from '@composio/core'
import { composio } from './composio.ts'
import { composioV1 } from './composio-v1.ts'
import { composioV2 } from './composio-v2.ts'
import type { Format } from './format.ts'

const metadata = {
  log_id: 'log_1',
  trigger_slug: 'GITHUB_PUSH_EVENT',
  trigger_id: 'ti_1',
  connected_account_id: 'ca_1',
  auth_config_id: 'ac_1',
  user_id: 'u1',
}
const event = {
  id: 'msg_demo',
  projectId: 'prj_0123456789abcdef0123456789abcdef',
  type: 'composio.trigger.message',
  timestamp: '2026-11-21T12:00:00+02:00',
  data: '{ "ref": "main", "n": 90071992547409931 }',
  metadata: JSON.stringify(metadata),
}
const versions: [string, Format][] = [
  ['V3', composio],
  ['V2', composioV2],
  ['V1', composioV1],
]

function headersOf(format: Format, body: string, secrets: string[], attemptNumber = 1) {
  return format.headers({
    eventId: event.id,
    eventType: event.type,
    timestampSeconds: 1795262400,
    attemptNumber,
    body: Buffer.from(body),
    keys: secrets.map((secret, n) => {
      const read = format.readSecret(secret)
      assert.ok('keyBytes' in read)
      return { id: `sec_${n}`, algorithm: 'hmac-sha256', ...read }
    }),
  })
}

test('V3 has metadata and data as they came, and its time in UTC with milliseconds', () => {
  assert.equal(
    composio.body(event, 'dlv_1'),
    `{"id":"msg_demo","timestamp":"2026-11-21T10:00:00.000Z","type":"composio.trigger.message","metadata":${event.metadata},"data":${event.data}}`,
  )
  const odd = composio.body({ ...event, timestamp: 'at "noon"' }, 'dlv_1')
  assert.equal(JSON.parse(odd).timestamp, 'at "noon"')
})

test('V2 mixes the ids of the trigger into data', () => {
  assert.equal(
    composioV2.body(event, 'dlv_1'),
    '{"type":"github_push_event","timestamp":"2026-11-21T10:00:00.000Z","log_id":"log_1","data":{"connection_id":"ca_1","connection_nano_id":"ca_1","trigger_nano_id":"ti_1","trigger_id":"ti_1","user_id":"u1", "ref": "main", "n": 90071992547409931 }}',
  )
})

test('V2 leaves its members to data that has the same, escaped or not', () => {
  const data = '{"user_id":null,"trigger_\\u0069d":{"user_id":1},"a":1,"a":2}'
  const body = composioV2.body({ ...event, data }, 'dlv_1')
  assert.ok(
    body.endsWith(
      `"data":{"connection_id":"ca_1","connection_nano_id":"ca_1","trigger_nano_id":"ti_1",${data.slice(1)}}`,
    ),
    body,
  )
  const full =
    '{"connection_id":1,"connection_nano_id":2,"trigger_nano_id":3,"trigger_id":4,"user_id":5}'
  assert.ok(composioV2.body({ ...event, data: full }, 'dlv_1').endsWith(`"data":${full}}`))
})

test('V2 takes data without members', () => {
  for (const data of ['{}', '{ }']) {
    const body = JSON.parse(composioV2.body({ ...event, data }, 'dlv_1'))
    assert.deepEqual(Object.keys(body.data).length, 5)
  }
})

test('V1 has data as its payload', () => {
  assert.equal(
    composioV1.body(event, 'dlv_1'),
    `{"trigger_name":"GITHUB_PUSH_EVENT","connection_id":"ca_1","trigger_id":"ti_1","payload":${event.data},"log_id":"log_1"}`,
  )
})

test('V1 and V2 prefer the ids that the publisher tells apart', () => {
  const told = { ...metadata, connection_id: 'c', connection_nano_id: 'cn', trigger_nano_id: 'tn' }
  const told2 = { ...event, metadata: JSON.stringify(told) }
  const { connection_id } = JSON.parse(composioV1.body(told2, 'dlv_1'))
  assert.equal(connection_id, 'c')
  assert.deepEqual(JSON.parse(composioV2.body({ ...told2, data: '{}' }, 'dlv_1')).data, {
    connection_id: 'c',
    connection_nano_id: 'cn',
    trigger_nano_id: 'tn',
    trigger_id: 'ti_1',
    user_id: 'u1',
  })
})

test('V1 and V2 make do without metadata, and with metadata that is no text', () => {
  for (const text of ['{}', '{"trigger_slug":1,"log_id":{},"trigger_id":null,"user_id":[]}']) {
    const bare = { ...event, metadata: text, data: '{"a":1}' }
    assert.deepEqual(JSON.parse(composioV1.body(bare, 'dlv_1')), {
      trigger_name: 'composio.trigger.message',
      connection_id: null,
      trigger_id: null,
      payload: { a: 1 },
      log_id: 'msg_demo',
    })
    assert.deepEqual(JSON.parse(composioV2.body(bare, 'dlv_1')), {
      type: 'composio.trigger.message',
      timestamp: '2026-11-21T10:00:00.000Z',
      log_id: 'msg_demo',
      data: {
        connection_id: null,
        connection_nano_id: null,
        trigger_nano_id: null,
        trigger_id: null,
        user_id: null,
        a: 1,
      },
    })
  }
})

test('signs with the whole text of the secret, newest first', () => {
  const secrets = ['whsec_with a prefix that stays', 'composio-secret-number-two']
    .map((text) => text.replaceAll(' ', '-'))
    .map((text) => text.padEnd(32, 'x'))
  for (const [version, format] of versions) {
    const body = format.body(event, 'dlv_1')
    const signatures = secrets.map((secret) => {
      const mac = createHmac('sha256', secret).update(`msg_demo.1795262400.${body}`)
      return `v1,${mac.digest('base64')}`
    })
    assert.deepEqual(headersOf(format, body, secrets, 3), {
      'webhook-id': 'msg_demo',
      'webhook-timestamp': '1795262400',
      'webhook-signature': signatures.join(' '),
      'x-composio-webhook-version': version,
      'x-composio-delivery-attempt': '3',
    })
    assert.deepEqual(headersOf(format, body, []), {
      'webhook-id': 'msg_demo',
      'webhook-timestamp': '1795262400',
      'x-composio-webhook-version': version,
      'x-composio-delivery-attempt': '1',
    })
  }
})

test("Composio's own SDK verifies and reads every version, with either secret", async () => {
  const { triggers } = new Composio({ apiKey: 'none', allowTracking: false })
  for (const [version, format] of versions) {
    const secrets = [1, 2].map((fill) => format.generateSecret((size) => Buffer.alloc(size, fill)))
    const payload = format.body(event, 'dlv_1')
    const headers = headersOf(format, payload, secrets)
    for (const secret of secrets) {
      const result = await triggers.verifyWebhook({
        payload,
        secret,
        id: String(headers['webhook-id']),
        timestamp: String(headers['webhook-timestamp']),
        signature: String(headers['webhook-signature']),
        tolerance: 0,
      })
      assert.equal(result.version, version)
      assert.equal(result.payload.triggerSlug, 'GITHUB_PUSH_EVENT')
      assert.equal(result.payload.metadata.connectedAccount.id, 'ca_1')
      assert.equal(result.payload.payload?.ref, 'main')
    }
  }
})

test("Composio's own SDK reads a probe", async () => {
  const { triggers } = new Composio({ apiKey: 'none', allowTracking: false })
  const type = String(composio.probeType)
  const body = composio.body({ ...event, type, metadata: '{}', data: '{}' }, 'dlv_1')
  const result = await triggers.parse({ body, headers: {} })
  assert.equal(result.version, 'V3')
})

test('makes secrets of 64 lower-case hex characters', () => {
  for (const [, format] of versions) {
    const secret = format.generateSecret((size) => Buffer.alloc(size, 0xab))
    assert.equal(secret, 'ab'.repeat(32))
  }
})
