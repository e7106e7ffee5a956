import assert from 'node:assert/strict'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { test } from 'node:test'
import { hCompany } from './h-company.ts'

const event = {
  id: 'evt_0a1b2c',
  projectId: 'prj_0123456789abcdef0123456789abcdef',
  type: 'session.completed',
  timestamp: '2026-11-21T12:00:00.123456+02:00',
  data: '{"session_id":"s","status":"completed","previous_status":null}',
  metadata: '{}',
}

function headersOf(body: string, secrets: string[]) {
  return hCompany.headers({
    eventId: event.id,
    eventType: event.type,
    timestampSeconds: 1795262400,
    attemptNumber: 1,
    body: Buffer.from(body),
    keys: secrets.map((secret, n) => {
      const read = hCompany.readSecret(secret)
      assert.ok('keyBytes' in read)
      return { id: `sec_${n}`, algorithm: 'hmac-sha256', ...read }
    }),
  })
}

/** Written from the published description of the signature alone. */
function isAccepted(body: string, headers: Record<string, string>, secrets: string[]): boolean {
  const timestamp = headers['x-h-webhook-timestamp'] ?? ''
  const given = Buffer.from(headers['x-h-webhook-signature'] ?? '')
  return secrets.some((secret) => {
    const mac = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
    const expected = Buffer.from(`sha256=${mac}`)
    return given.length === expected.length && timingSafeEqual(given, expected)
  })
}

test('writes the envelope with its time in UTC with milliseconds', () => {
  assert.equal(
    hCompany.body(event, 'dlv_1'),
    `{"type":"session.completed","id":"evt_0a1b2c","created_at":"2026-11-21T10:00:00.123Z","data":${event.data}}`,
  )
})

test('signs time and body with the whole text of the newest secret', () => {
  const [newest, older] = [1, 2].map((n) =>
    hCompany.generateSecret((size) => Buffer.alloc(size, n)),
  ) as [string, string]
  const body = '{"text":"ü€😀"}'
  const mac = createHmac('sha256', newest).update(`1795262400.${body}`).digest('hex')
  const headers = headersOf(body, [newest, older])
  assert.deepEqual(headers, {
    'x-h-webhook-timestamp': '1795262400',
    'x-h-webhook-signature': `sha256=${mac}`,
  })
  assert.ok(isAccepted(body, headers, [older, newest]))
  assert.ok(!isAccepted(body, headers, [older]))
  assert.ok(!isAccepted(`${body} `, headers, [newest]))
})

test('without keys the signature is absent', () => {
  assert.deepEqual(headersOf('{}', []), { 'x-h-webhook-timestamp': '1795262400' })
})

test('makes secrets of a prefix and 43 URL-safe characters', () => {
  const secret = hCompany.generateSecret((size) => Buffer.alloc(size, 0xff))
  assert.match(secret, /^whsec_[A-Za-z0-9_-]{43}$/)
})

test('carries one signature, so that a rotation cannot overlap', () => {
  assert.equal(hCompany.signaturesMax, 1)
})
