import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { dinie } from './dinie.ts'

const event = {
  id: 'evt_1',
  projectId: 'prj_0123456789abcdef0123456789abcdef',
  type: 'loan.payment_received',
  timestamp: '2026-11-21T07:00:00.999-03:00',
  data: '{"amount":90071992547409931.10}',
  metadata: '{}',
}
const body = dinie.body(event, 'dlv_1')

function headersOf(secrets: string[], timestampSeconds = 1795262400) {
  return dinie.headers({
    eventId: event.id,
    eventType: event.type,
    timestampSeconds,
    attemptNumber: 1,
    body: Buffer.from(body),
    keys: secrets.map((secret, n) => {
      const read = dinie.readSecret(secret)
      assert.ok('keyBytes' in read)
      return { id: `sec_${n}`, algorithm: 'hmac-sha256', ...read }
    }),
  })
}

test('gives the time of the event twice, the same on every attempt, and names the delivery', () => {
  assert.equal(
    body,
    `{"id":"evt_1","type":"loan.payment_received","api_version":"2026-03-01","created_at":"2026-11-21T10:00:00.999Z","timestamp":1795255200,"delivery_id":"dlv_1","data":${event.data}}`,
  )
  assert.ok(dinie.isBodyPerDelivery)
})

test('refuses to write a body for a time that is none', () => {
  assert.throws(() => dinie.body({ ...event, timestamp: 'soon' }, 'dlv_1'), /refused at publish/)
})

test('an independent verifier accepts either secret of a rotation', () => {
  const secrets = [1, 2].map((n) => dinie.generateSecret((size) => Buffer.alloc(size, n)))
  const headers = headersOf(secrets, Math.floor(Date.now() / 1000))
  for (const secret of secrets) new Webhook(secret).verify(body, headers)
  assert.equal(headers['webhook-signature']?.split(' ').length, 2)
})

test('takes a secret without the prefix for its own text', () => {
  const text = 'an-old-secret-of-dinie-without-a-prefix'
  const mac = createHmac('sha256', text).update(`evt_1.1795262400.${body}`).digest('base64')
  assert.deepEqual(headersOf([text]), {
    'webhook-id': 'evt_1',
    'webhook-timestamp': '1795262400',
    'webhook-signature': `v1,${mac}`,
  })
})

test('does not take a broken secret with the prefix for its own text', () => {
  assert.ok('problem' in dinie.readSecret('whsec_this-is-not-standard-base64'))
})

test('makes secrets of a prefix and 40 characters, as its documents show', () => {
  const secret = dinie.generateSecret((size) => Buffer.alloc(size, 7))
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{40}$/)
})
