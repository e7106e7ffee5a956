import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { devtune } from './devtune.ts'

const newest = 'ab'.repeat(32)
const older = 'cd'.repeat(32)
const event = {
  id: 'evt_1',
  projectId: 'prj_0199c0de00007000800000000000abcd',
  type: 'visibility.changed',
  timestamp: '2026-11-21T10:00:00.000Z',
  data: '{"previousMetrics":null}',
  metadata: '{}',
}

function headersOf(body: string, secrets: string[]) {
  return devtune.headers({
    eventId: event.id,
    eventType: event.type,
    timestampSeconds: 1795262400,
    attemptNumber: 1,
    body: Buffer.from(body),
    keys: secrets.map((secret, n) => {
      const read = devtune.readSecret(secret)
      assert.ok('keyBytes' in read)
      return { id: `sec_${n}`, algorithm: 'hmac-sha256', ...read }
    }),
  })
}

test('names the project by its UUID', () => {
  assert.equal(
    devtune.body(event, 'dlv_1'),
    '{"event":"visibility.changed","timestamp":"2026-11-21T10:00:00.000Z","projectId":"0199c0de-0000-7000-8000-00000000abcd","data":{"previousMetrics":null}}',
  )
})

test('signs the body alone, with the text of the newest secret and not its hex', () => {
  const body = '{"text":"ü€😀"}'
  assert.deepEqual(headersOf(body, [newest, older]), {
    'x-devtune-signature': createHmac('sha256', newest).update(body).digest('hex'),
    'x-devtune-event': 'visibility.changed',
    'user-agent': 'DevTune-Webhook/2.0',
  })
})

test('without keys the signature is absent, and the rest is there', () => {
  assert.deepEqual(headersOf('{}', []), {
    'x-devtune-event': 'visibility.changed',
    'user-agent': 'DevTune-Webhook/2.0',
  })
})

test('makes secrets of 64 lower-case hex characters', () => {
  assert.equal(
    devtune.generateSecret((size) => Buffer.alloc(size, 0xab)),
    newest,
  )
})
