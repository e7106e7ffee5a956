import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Webhook } from 'standardwebhooks'
import { isEventType } from '../core/event-type.ts'
import type { Format, FormatEvent, SigningInput, SigningKey } from './format.ts'
import { formatOf, formats } from './registry.ts'

const event: FormatEvent = {
  id: 'evt_0199c2f5a1b27c3d8e4f5a6b7c8d9e0f',
  projectId: 'prj_0199c2f5a1b27c3d8e4f5a6b7c8d9e01',
  type: 'order.line.paid',
  timestamp: '2026-11-01T12:00:00.25+02:00',
  data: '{ "n": 12345678901234567890.000, "t":"\\u0041" }',
  metadata: '{"trigger_slug":"GITHUB_PUSH","trigger_id":"ti_1","log_id":"log_1","user_id":"u1"}',
}
const { data } = event

function keyOf(format: Format, secret: string, id = 'sec_1'): SigningKey {
  const read = format.readSecret(secret)
  assert.ok('keyBytes' in read, JSON.stringify(read))
  return { id, algorithm: 'hmac-sha256', ...read }
}

function inputOf(format: Format, secrets: readonly string[], body = '{"a":1}'): SigningInput {
  return {
    eventId: event.id,
    eventType: event.type,
    timestampSeconds: 1_793_500_000,
    attemptNumber: 3,
    body: Buffer.from(body),
    keys: secrets.map((secret, index) => keyOf(format, secret, `sec_${index}`)),
  }
}

const secretOf = (format: Format) => format.generateSecret((size) => randomBytes(size))
const textKeyed = 'test-secret-of-forty-characters-exactly!'

/** Written from the descriptions of the systems, with nothing of ours. */
const mac = (key: string | Buffer, text: string, encoding: 'hex' | 'base64') =>
  createHmac('sha256', key).update(text).digest(encoding)

describe('bodies', () => {
  const body = (name: string) => formatOf(name).body(event, 'dlv_1')

  test('mobilerun names the source, which is the first word of the type', () => {
    assert.equal(
      body('mobilerun'),
      `{"id":"${event.id}","type":"order.line.paid","source":"order","occurredAt":"2026-11-01T12:00:00.25+02:00","data":${data}}`,
    )
  })

  test('composio V3 carries the metadata, V2 and V1 what stands in it', () => {
    assert.equal(
      body('composio'),
      `{"id":"${event.id}","timestamp":"2026-11-01T10:00:00.250Z","type":"order.line.paid","metadata":${event.metadata},"data":${data}}`,
    )
    assert.equal(
      body('composio-v2'),
      `{"type":"github_push","timestamp":"2026-11-01T10:00:00.250Z","log_id":"log_1","data":{"connection_id":null,"connection_nano_id":null,"trigger_nano_id":"ti_1","trigger_id":"ti_1","user_id":"u1", "n": 12345678901234567890.000, "t":"\\u0041" }}`,
    )
    assert.equal(
      body('composio-v1'),
      `{"trigger_name":"GITHUB_PUSH","connection_id":null,"trigger_id":"ti_1","payload":${data},"log_id":"log_1"}`,
    )
  })

  test('composio V2 lets a member of the data stand, and takes an empty object', () => {
    const v2 = formatOf('composio-v2')
    const own = v2.body({ ...event, data: '{"user_id":7}' }, 'dlv_1')
    assert.equal(own.match(/"user_id"/g)?.length, 1)
    assert.equal(JSON.parse(own).data.user_id, 7)
    const empty = JSON.parse(v2.body({ ...event, metadata: '{}', data: '{ }' }, 'dlv_1'))
    assert.equal(empty.type, 'order.line.paid')
    assert.equal(empty.log_id, event.id)
    assert.equal(empty.data.trigger_id, null)
  })

  test('h-company, devtune, dinie, stripe and github write what their clients parse', () => {
    assert.equal(
      body('h-company'),
      `{"type":"order.line.paid","id":"${event.id}","created_at":"2026-11-01T10:00:00.250Z","data":${data}}`,
    )
    assert.equal(
      body('devtune'),
      `{"event":"order.line.paid","timestamp":"2026-11-01T12:00:00.25+02:00","projectId":"0199c2f5-a1b2-7c3d-8e4f-5a6b7c8d9e01","data":${data}}`,
    )
    assert.equal(
      body('dinie'),
      `{"id":"${event.id}","type":"order.line.paid","api_version":"2026-03-01","created_at":"2026-11-01T10:00:00.250Z","timestamp":1793527200,"delivery_id":"dlv_1","data":${data}}`,
    )
    assert.equal(
      body('stripe'),
      `{"id":"${event.id}","object":"event","api_version":null,"livemode":true,"pending_webhooks":1,"request":null,"created":1793527200,"type":"order.line.paid","data":{"object":${data}}}`,
    )
    assert.equal(body('github'), data)
  })
})

describe('headers', () => {
  test('mobilerun and dinie sign as Standard Webhooks does', () => {
    for (const name of ['mobilerun', 'dinie']) {
      const format = formatOf(name)
      const secrets = [secretOf(format), secretOf(format)]
      const input = {
        ...inputOf(format, secrets),
        timestampSeconds: Math.floor(Date.now() / 1000),
      }
      const headers = format.headers(input)
      assert.equal(headers['webhook-signature']?.split(' ').length, 2)
      for (const secret of secrets) new Webhook(secret).verify('{"a":1}', headers)
      assert.throws(() => new Webhook(secretOf(format)).verify('{"a":1}', headers))
    }
  })

  test('a dinie secret without the prefix is its own text', () => {
    const format = formatOf('dinie')
    const headers = format.headers(inputOf(format, [textKeyed]))
    const expected = mac(textKeyed, `${event.id}.1793500000.{"a":1}`, 'base64')
    assert.equal(headers['webhook-signature'], `v1,${expected}`)
  })

  test('composio takes the whole secret as key, whatever it begins with', () => {
    const secret = `whsec_${Buffer.alloc(24, 5).toString('base64')}`
    for (const [name, version] of Object.entries({
      composio: 'V3',
      'composio-v2': 'V2',
      'composio-v1': 'V1',
    })) {
      const format = formatOf(name)
      const signed = `${event.id}.1793500000.{"a":1}`
      assert.deepEqual(format.headers(inputOf(format, [secret, textKeyed])), {
        'webhook-id': event.id,
        'webhook-timestamp': '1793500000',
        'x-composio-webhook-version': version,
        'x-composio-delivery-attempt': '3',
        'webhook-signature': `v1,${mac(secret, signed, 'base64')} v1,${mac(textKeyed, signed, 'base64')}`,
      })
    }
  })

  test('h-company, devtune and github carry the newest signature alone', () => {
    const secrets = [textKeyed, 'an-older-secret-that-must-not-sign-here']
    const headersOf = (name: string) => formatOf(name).headers(inputOf(formatOf(name), secrets))
    assert.deepEqual(headersOf('h-company'), {
      'x-h-webhook-timestamp': '1793500000',
      'x-h-webhook-signature': `sha256=${mac(textKeyed, '1793500000.{"a":1}', 'hex')}`,
    })
    assert.deepEqual(headersOf('devtune'), {
      'user-agent': 'DevTune-Webhook/2.0',
      'x-devtune-event': 'order.line.paid',
      'x-devtune-signature': mac(textKeyed, '{"a":1}', 'hex'),
    })
    assert.deepEqual(headersOf('github'), {
      'x-github-event': 'order.line.paid',
      'x-github-delivery': '0199c2f5-a1b2-7c3d-8e4f-5a6b7c8d9e0f',
      'x-hub-signature-256': `sha256=${mac(textKeyed, '{"a":1}', 'hex')}`,
    })
  })

  test('github takes an id that the caller chose as it is', () => {
    const github = formatOf('github')
    const headers = github.headers({ ...inputOf(github, []), eventId: 'order-7' })
    assert.deepEqual(headers, {
      'x-github-event': 'order.line.paid',
      'x-github-delivery': 'order-7',
    })
  })

  test('stripe lists one v1 a secret', () => {
    const stripe = formatOf('stripe')
    const older = 'another-secret-which-also-signs-for-now'
    const signed = '1793500000.{"a":1}'
    assert.deepEqual(stripe.headers(inputOf(stripe, [textKeyed, older])), {
      'stripe-signature': `t=1793500000,v1=${mac(textKeyed, signed, 'hex')},v1=${mac(older, signed, 'hex')}`,
    })
  })
})

describe('secrets', () => {
  test('have the shape that each system shows', () => {
    const shapes = {
      standard: /^whsec_[A-Za-z0-9+/]{43}=$/,
      mobilerun: /^whsec_[A-Za-z0-9+/]{43}=$/,
      composio: /^[0-9a-f]{64}$/,
      'composio-v2': /^[0-9a-f]{64}$/,
      'composio-v1': /^[0-9a-f]{64}$/,
      'h-company': /^whsec_[A-Za-z0-9_-]{43}$/,
      devtune: /^[0-9a-f]{64}$/,
      dinie: /^whsec_[A-Za-z0-9+/]{40}$/,
      stripe: /^whsec_[A-Za-z0-9_-]{43}$/,
      github: /^[0-9a-f]{64}$/,
    }
    assert.deepEqual(Object.keys(shapes).sort(), Object.keys(formats).sort())
    for (const [name, shape] of Object.entries(shapes)) {
      assert.match(secretOf(formatOf(name)), shape)
    }
  })

  test('that are too short, too long or not plain text are refused with a sentence', () => {
    for (const format of Object.values(formats)) {
      for (const bad of [
        '',
        'short',
        'x'.repeat(65),
        `${'ä'.repeat(20)}`,
        `${'x'.repeat(20)} y z`,
      ]) {
        const read = format.readSecret(bad)
        assert.ok('problem' in read, `${format.name} took ${bad}`)
        assert.match(read.problem, /^M[a-z]+ .*\.$/)
        assert.ok(bad === '' || !read.problem.includes(bad))
      }
    }
  })
})

describe('every format', () => {
  const words = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/)
  const types = fc.array(words, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'))

  for (const format of Object.values(formats)) {
    test(`${format.name} holds the bytes of data in a body that parses`, () => {
      fc.assert(
        fc.property(
          types,
          fc.dictionary(fc.string(), fc.jsonValue()),
          fc.dictionary(fc.string(), fc.jsonValue()),
          (type, object, metadata) => {
            assert.ok(isEventType(type))
            const source = JSON.stringify(object)
            const body = format.body(
              { ...event, type, data: source, metadata: JSON.stringify(metadata) },
              'dlv_1',
            )
            JSON.parse(body)
            assert.ok(body.includes(source.slice(1, -1)))
          },
        ),
      )
    })

    test(`${format.name} sends only headers that it reserves, each a valid value`, () => {
      const secrets = Array.from({ length: format.signaturesMax }, () => secretOf(format))
      for (const keys of [secrets, []]) {
        const headers = format.headers(inputOf(format, keys))
        for (const [name, value] of Object.entries(headers)) {
          assert.ok(format.reservedHeaders.includes(name) || name === 'user-agent', name)
          assert.match(value, /^[\x20-\x7e]+$/)
        }
        const isSigned = Object.keys(headers).some((name) => name.includes('signature'))
        assert.equal(isSigned, keys.length > 0)
      }
    })

    test(`${format.name} signs with every key, the newest first, and reads its own secrets`, () => {
      const secrets = Array.from({ length: format.signaturesMax }, () => secretOf(format))
      const all = JSON.stringify(format.headers(inputOf(format, secrets)))
      const places = secrets.map((secret) => {
        const alone = format.headers(inputOf(format, [secret]))
        const signature = Object.entries(alone).find(([name]) => name.includes('signature'))?.[1]
        assert.ok(signature)
        return all.indexOf(signature.replace(/^(?:v1,|t=\d+,v1=)/, ''))
      })
      assert.ok(places.every((place) => place >= 0))
      assert.deepEqual(
        [...places].sort((a, b) => a - b),
        places,
      )
    })
  }
})
