import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { mobilerun } from './mobilerun.ts'

const newKey = Buffer.alloc(32, 'new')
const oldKey = Buffer.alloc(32, 'old')
const event = {
  id: 'evt_1',
  projectId: 'prj_0123456789abcdef0123456789abcdef',
  type: 'task.run.completed',
  timestamp: '2026-11-21T12:00:00.25+02:00',
  data: '{ "n": 90071992547409931 }',
  metadata: '{"unseen":true}',
}

function headersOf(body: string, keys: Buffer[], timestampSeconds = 1795262400) {
  return mobilerun.headers({
    eventId: event.id,
    eventType: event.type,
    timestampSeconds,
    attemptNumber: 2,
    body: Buffer.from(body),
    keys: keys.map((keyBytes, n) => ({ id: `sec_${n}`, algorithm: 'hmac-sha256', keyBytes })),
  })
}

test('names the source of the event, and keeps its time and data as they came', () => {
  assert.equal(
    mobilerun.body(event, 'dlv_1'),
    '{"id":"evt_1","type":"task.run.completed","source":"task","occurredAt":"2026-11-21T12:00:00.25+02:00","data":{ "n": 90071992547409931 }}',
  )
  const { source } = JSON.parse(mobilerun.body({ ...event, type: 'ping' }, 'dlv_1'))
  assert.equal(source, 'ping')
})

test('signs as Standard Webhooks does, newest first, and names no secrets', () => {
  const body = '{"text":"ü€😀"}'
  const signatures = [newKey, oldKey].map((key) => {
    const mac = createHmac('sha256', key).update(`evt_1.1795262400.${body}`)
    return `v1,${mac.digest('base64')}`
  })
  assert.deepEqual(headersOf(body, [newKey, oldKey]), {
    'webhook-id': 'evt_1',
    'webhook-timestamp': '1795262400',
    'webhook-signature': signatures.join(' '),
  })
})

test('an independent verifier accepts either secret', () => {
  const body = mobilerun.body(event, 'dlv_1')
  const headers = headersOf(body, [newKey, oldKey], Math.floor(Date.now() / 1000))
  for (const key of [newKey, oldKey]) {
    new Webhook(`whsec_${key.toString('base64')}`).verify(body, headers)
  }
})

test('without keys the signature is absent', () => {
  assert.deepEqual(Object.keys(headersOf('{}', [])), ['webhook-id', 'webhook-timestamp'])
})

test('makes secrets like those of Standard Webhooks', () => {
  const secret = mobilerun.generateSecret((size) => Buffer.alloc(size, 1))
  assert.equal(secret, `whsec_${Buffer.alloc(32, 1).toString('base64')}`)
})
