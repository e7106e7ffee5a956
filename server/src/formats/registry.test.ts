import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { test } from 'node:test'
import fc from 'fast-check'
import { isEventType } from '../core/event-type.ts'
import type { Format, FormatEvent, SigningKey } from './format.ts'
import { formatNames, formatOf, formats } from './registry.ts'

// fast-check prints the seed and the smallest failing case when a property fails.

const all = Object.values(formats)
const format = fc.constantFrom(...all)
const eventType = fc
  .array(fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/), { minLength: 1, maxLength: 6 })
  .map((words) => words.join('.'))
const hostileText = fc.string({ unit: 'binary', maxLength: 20 })
/** Odd spacing, numbers that no double holds, keys of envelopes: all of it must stay as it is. */
const dataText = fc
  .record({
    members: fc.dictionary(
      fc.oneof(hostileText, fc.constantFrom('data', 'id', 'type', 'user_id', 'trigger_id')),
      fc.oneof(
        fc.json(),
        fc.constantFrom('90071992547409931', '1e400', '-0.0', '"\\u0041"', '[ ]'),
      ),
      { maxKeys: 5 },
    ),
    space: fc.stringMatching(/^[ \t\r\n]{0,3}$/),
  })
  .map(({ members, space }) => {
    const texts = Object.entries(members).map(
      ([key, value]) => `${space}${JSON.stringify(key)}${space}:${space}${value}`,
    )
    return `{${texts.join(`${space},`)}${space}}`
  })
const metadataText = fc
  .dictionary(
    fc.constantFrom('trigger_slug', 'trigger_id', 'log_id', 'user_id', 'connection_id', 'else'),
    fc.oneof(hostileText, fc.integer(), fc.constant(null)),
  )
  .map((metadata) => JSON.stringify(metadata))
const event: fc.Arbitrary<FormatEvent> = fc.record({
  id: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
  projectId: fc.stringMatching(/^prj_[0-9a-f]{32}$/),
  type: eventType,
  timestamp: fc
    .date({ noInvalidDate: true, min: new Date(0), max: new Date('9999-12-31T23:59:59Z') })
    .map((date) => date.toISOString()),
  data: dataText,
  metadata: metadataText,
})
const keys = fc
  .uniqueArray(fc.uint8Array({ minLength: 24, maxLength: 64 }), { maxLength: 3 })
  .map((list) =>
    list.map((keyBytes, n): SigningKey => {
      return { id: `sec_${n}`, algorithm: 'hmac-sha256', keyBytes }
    }),
  )

test('every format is found by its own name', () => {
  assert.deepEqual(
    formatNames.map((name) => formatOf(name).name),
    formatNames,
  )
  assert.throws(() => formatOf('none'), /no format none/)
})

test('the body is JSON that holds the bytes of data, whatever they are', () => {
  fc.assert(
    fc.property(format, event, (chosen, given) => {
      const body = chosen.body(given, 'dlv_1')
      const sent = dataIn(chosen, JSON.parse(body))
      const expected = JSON.parse(given.data)
      // V2 alone mixes ids of its own into data.
      if (chosen.name === 'composio-v2') {
        assert.ok(body.endsWith(`${given.data.slice(1)}}`))
        assert.deepEqual({ ...Object(sent), ...expected }, sent)
      } else {
        assert.ok(body.includes(given.data))
        assert.deepEqual(sent, expected)
      }
      assert.equal(body, chosen.body(given, 'dlv_1'))
    }),
    { numRuns: 1_000 },
  )
})

function dataIn(chosen: Format, body: Record<string, unknown>): unknown {
  if (chosen.name === 'github') return body
  if (chosen.name === 'composio-v1') return body.payload
  if (chosen.name === 'stripe') return (body.data as Record<string, unknown>).object
  return body.data
}

test('the body differs by delivery exactly where the format says so', () => {
  fc.assert(
    fc.property(format, event, (chosen, given) => {
      const isEqual = chosen.body(given, 'dlv_1') === chosen.body(given, 'dlv_2')
      assert.equal(isEqual, !chosen.isBodyPerDelivery)
    }),
  )
})

test('headers are valid, lower-case and reserved, for any event that may be published', () => {
  fc.assert(
    fc.property(format, event, keys, fc.nat(), (chosen, given, signing, seconds) => {
      assert.ok(isEventType(given.type))
      const headers = chosen.headers(inputOf(given, signing, seconds, '{}'))
      for (const [name, value] of Object.entries(headers)) {
        validateHeaderName(name)
        validateHeaderValue(name, value)
        assert.match(value, /^[\x20-\x7e]+$/)
        assert.ok(chosen.reservedHeaders.includes(name), `${chosen.name} reserves ${name}`)
      }
    }),
    { numRuns: 1_000 },
  )
})

test('signs with the newest keys, in their order, as many as the format carries', () => {
  fc.assert(
    fc.property(format, event, keys, fc.json(), (chosen, given, signing, body) => {
      const headers = chosen.headers(inputOf(given, signing, 1795262400, body))
      const expected = signing
        .slice(0, chosen.signaturesMax)
        .map((key) => macOf(chosen, keyBytesOf(key), `${given.id}`, body))
      assert.deepEqual(macsIn(chosen, headers), expected)
      assert.equal(isSigned(chosen, headers), signing.length > 0)
    }),
    { numRuns: 500 },
  )
})

function keyBytesOf(key: SigningKey): Uint8Array {
  assert.ok(key.algorithm === 'hmac-sha256')
  return key.keyBytes
}

function inputOf(given: FormatEvent, signing: SigningKey[], seconds: number, body: string) {
  return {
    eventId: given.id,
    eventType: given.type,
    timestampSeconds: seconds,
    attemptNumber: 1,
    body: Buffer.from(body),
    keys: signing,
  }
}

/** What each format signs, written down a second time. */
function macOf(chosen: Format, keyBytes: Uint8Array, id: string, body: string): string {
  const head: Record<string, string> = {
    devtune: '',
    github: '',
    'h-company': '1795262400.',
    stripe: '1795262400.',
  }
  const mac = createHmac('sha256', keyBytes)
    .update(`${head[chosen.name] ?? `${id}.1795262400.`}${body}`)
    .digest()
  return mac.toString(head[chosen.name] === undefined ? 'base64' : 'hex')
}

function macsIn(chosen: Format, headers: Record<string, string>): string[] {
  const name = signatureNameOf(chosen)
  const text = headers[name]
  if (text === undefined) return []
  if (name === 'webhook-signature') return text.split(' ').map((entry) => entry.replace('v1,', ''))
  if (name !== 'stripe-signature') return [text.replace('sha256=', '')]
  return text
    .split(',')
    .slice(1)
    .map((entry) => entry.replace('v1=', ''))
}

function isSigned(chosen: Format, headers: Record<string, string>): boolean {
  return signatureNameOf(chosen) in headers
}

function signatureNameOf(chosen: Format): string {
  const names = chosen.reservedHeaders.filter((name) => name.includes('signature'))
  assert.equal(names.length, 1)
  return String(names[0])
}

test('generates secrets that it reads back, each with a key of its own', () => {
  for (const chosen of all) {
    const seen = new Set<string>()
    for (let n = 0; n < 50; n += 1) {
      const secret = chosen.generateSecret((size) => randomBytes(size))
      assert.match(secret, /^[\x21-\x7e]+$/)
      const read = chosen.readSecret(secret)
      assert.ok('keyBytes' in read, chosen.name)
      assert.ok(read.keyBytes.length >= 24 && read.keyBytes.length <= 64)
      seen.add(Buffer.from(read.keyBytes).toString('hex'))
    }
    assert.equal(seen.size, 50)
  }
})

test('takes or refuses any text as a secret without throwing, and within its bounds', () => {
  fc.assert(
    fc.property(format, fc.oneof(hostileText, fc.string({ maxLength: 90 })), (chosen, text) => {
      const read = chosen.readSecret(text)
      if ('problem' in read) assert.match(read.problem, /^Must .*\.$/)
      else assert.ok(read.keyBytes.length >= 24 && read.keyBytes.length <= 64)
    }),
    { numRuns: 500 },
  )
})
