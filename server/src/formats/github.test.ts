import assert from 'node:assert/strict'
import { test } from 'node:test'
import { github } from './github.ts'

const event = {
  id: 'evt_0199c0de00007000800000000000abcd',
  projectId: 'prj_0123456789abcdef0123456789abcdef',
  type: 'push',
  timestamp: '2026-11-21T10:00:00Z',
  data: '{ "ref": "main" }',
  metadata: '{}',
}

function headersOf(body: string, secrets: string[], eventId = event.id) {
  return github.headers({
    eventId,
    eventType: event.type,
    timestampSeconds: 1795262400,
    attemptNumber: 1,
    body: Buffer.from(body),
    keys: secrets.map((secret, n) => {
      const read = github.readSecret(secret)
      assert.ok('keyBytes' in read)
      return { id: `sec_${n}`, algorithm: 'hmac-sha256', ...read }
    }),
  })
}

test('the body is data, byte for byte', () => {
  assert.equal(github.body(event, 'dlv_1'), event.data)
})

test('signs the vector that GitHub publishes', () => {
  const headers = github.headers({
    eventId: 'e',
    eventType: 'push',
    timestampSeconds: 0,
    attemptNumber: 1,
    body: Buffer.from('Hello, World!'),
    keys: [
      {
        id: 'sec_1',
        algorithm: 'hmac-sha256',
        keyBytes: Buffer.from("It's a Secret to Everybody"),
      },
    ],
  })
  assert.equal(
    headers['x-hub-signature-256'],
    'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
  )
})

test('names type and delivery, and signs with the newest secret only', () => {
  const [newest, older] = ['ab'.repeat(32), 'cd'.repeat(32)]
  const headers = headersOf('{}', [newest, older])
  assert.deepEqual(Object.keys(headers).sort(), [...github.reservedHeaders].sort())
  assert.equal(headers['x-github-event'], 'push')
  assert.equal(headers['x-github-delivery'], '0199c0de-0000-7000-8000-00000000abcd')
  assert.deepEqual(headers, headersOf('{}', [newest]))
})

test('an id of the publisher names the delivery as it is', () => {
  for (const id of ['push-7', 'evt_7']) {
    assert.equal(headersOf('{}', [], id)['x-github-delivery'], id)
  }
})

test('without keys the signature is absent, and the rest is there', () => {
  const { 'x-hub-signature-256': signature, ...rest } = headersOf('{}', [])
  assert.equal(signature, undefined)
  assert.equal(Object.keys(rest).length, 2)
})
