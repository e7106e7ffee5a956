import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { stripe } from './stripe.ts'

const event = {
  id: 'evt_1',
  projectId: 'prj_0123456789abcdef0123456789abcdef',
  type: 'invoice.paid',
  timestamp: '2026-11-21T10:00:00.999Z',
  data: '{"id":"in_1","total":90071992547409931}',
  metadata: '{}',
}

function headersOf(body: string, secrets: string[]) {
  return stripe.headers({
    eventId: event.id,
    eventType: event.type,
    timestampSeconds: 1795262400,
    attemptNumber: 1,
    body: Buffer.from(body),
    keys: secrets.map((secret, n) => {
      const read = stripe.readSecret(secret)
      assert.ok('keyBytes' in read)
      return { id: `sec_${n}`, algorithm: 'hmac-sha256', ...read }
    }),
  })
}

test('wraps data into an object, beside what typed clients insist on', () => {
  assert.equal(
    stripe.body(event, 'dlv_1'),
    `{"id":"evt_1","object":"event","api_version":null,"livemode":true,"pending_webhooks":1,"request":null,"created":1795255200,"type":"invoice.paid","data":{"object":${event.data}}}`,
  )
})

test('signs with the whole text of every secret, newest first, in one header', () => {
  const secrets = [1, 2, 3].map((n) => stripe.generateSecret((size) => Buffer.alloc(size, n)))
  const body = '{"text":"ü€😀"}'
  const macs = secrets.map((secret) =>
    createHmac('sha256', secret).update(`1795262400.${body}`).digest('hex'),
  )
  assert.deepEqual(headersOf(body, secrets), {
    'stripe-signature': `t=1795262400,v1=${macs[0]},v1=${macs[1]},v1=${macs[2]}`,
  })
  assert.equal(stripe.signaturesMax, 3)
})

test('without keys there is no header', () => {
  assert.deepEqual(headersOf('{}', []), {})
})

test('makes secrets of a prefix and URL-safe characters', () => {
  const secret = stripe.generateSecret((size) => Buffer.alloc(size, 0xff))
  assert.match(secret, /^whsec_[A-Za-z0-9_-]{43}$/)
})
