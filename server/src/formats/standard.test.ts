import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import type { SigningKey } from './format.ts'
import { standard } from './standard.ts'

function key(id: string, secret: string): SigningKey {
  const read = standard.readSecret(secret)
  assert.ok('keyBytes' in read)
  return { id, algorithm: 'hmac-sha256', ...read }
}

test('signs the published Standard Webhooks vector byte for byte', () => {
  const headers = standard.headers({
    eventId: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    eventType: 'test',
    timestampSeconds: 1614265330,
    attemptNumber: 1,
    body: Buffer.from('{"test": 2432232314}'),
    keys: [key('sec_a', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')],
  })
  assert.deepEqual(headers, {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    'webhook-secret-ids': 'sec_a',
  })
})

test('an independent verifier accepts either secret of a list of signatures', () => {
  const secrets = [1, 2, 3].map(() => standard.generateSecret((size) => randomBytes(size)))
  const body = Buffer.from('{"type":"a.b","timestamp":"t","data":{"text":"ü€😀"}}')
  const headers = standard.headers({
    eventId: 'evt_1',
    eventType: 'a.b',
    timestampSeconds: Math.floor(Date.now() / 1000),
    attemptNumber: 1,
    body,
    keys: secrets.map((secret, index) => key(`sec_${index}`, secret)),
  })
  for (const secret of secrets) new Webhook(secret).verify(body.toString(), headers)
  const stranger = standard.generateSecret((size) => randomBytes(size))
  assert.throws(() => new Webhook(stranger).verify(body.toString(), headers))
  assert.equal(headers['webhook-signature']?.split(' ').length, 3)
  assert.equal(headers['webhook-secret-ids'], 'sec_0,sec_1,sec_2')
})

test('without keys there is neither a signature nor a list of secrets', () => {
  const headers = standard.headers({
    eventId: 'evt_1',
    eventType: 'a.b',
    timestampSeconds: 1,
    attemptNumber: 1,
    body: Buffer.from('{}'),
    keys: [],
  })
  assert.deepEqual(Object.keys(headers), ['webhook-id', 'webhook-timestamp'])
})

test('the body holds the bytes of data as they came', () => {
  const data = '{ "n": 12345678901234567890.000, "t":"\\u0041" }'
  const event = { id: 'e', projectId: 'p', type: 'a.b', timestamp: '2026-01-01T00:00:00Z' }
  const body = standard.body({ ...event, data, metadata: '{}' }, 'd')
  assert.equal(body, `{"type":"a.b","timestamp":"2026-01-01T00:00:00Z","data":${data}}`)
})

test('takes secrets of 24 to 64 bytes in canonical base64 only', () => {
  const of = (size: number) => `whsec_${Buffer.alloc(size, 7).toString('base64')}`
  for (const good of [of(24), of(32), of(64)]) assert.ok('keyBytes' in standard.readSecret(good))
  const bad = [of(23), of(65), of(32).slice(6), `${of(32)}=`, of(32).replace('=', ''), 'whsec_']
  bad.push(`whsec_${Buffer.alloc(33, 255).toString('base64url')}`, 'whsec_not base64 at all!')
  for (const text of bad) assert.ok('problem' in standard.readSecret(text), text.slice(0, 12))
})
