import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import {
  packFromSender,
  packToSender,
  unpackFromSender,
  unpackToSender,
} from './packed-messages.ts'
import type { FromSender, ToSender } from './sender-messages.ts'

suite('Packed messages', () => {
  test('what the sender is given arrives as it was, also between threads', () => {
    fc.assert(
      fc.property(toSender, (message) => {
        const arrived = unpackToSender(structuredClone(packToSender(message)))
        assert.deepEqual(arrived, structuredClone(message))
      }),
    )
  })

  test('what the sender reports arrives as it was, also between threads', () => {
    fc.assert(
      fc.property(fromSender, (message) => {
        const arrived = unpackFromSender(structuredClone(packFromSender(message)))
        assert.deepEqual(arrived, structuredClone(message))
      }),
    )
  })

  test('a receiver cannot lose or disguise a header by its name', () => {
    const headers = JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, string>
    const message = reportOf(headers)
    const arrived = unpackFromSender(structuredClone(packFromSender(message)))
    assert.deepEqual(arrived, message)
    assert.ok(JSON.stringify(arrived).includes(JSON.stringify(headers)))
  })

  test('every other message goes as it is', () => {
    const stop: ToSender = { kind: 'stop' }
    const idle: FromSender = { kind: 'idle' }
    assert.equal(unpackToSender(packToSender(stop)), stop)
    assert.equal(unpackFromSender(packFromSender(idle)), idle)
  })
})

function reportOf(headers: Record<string, string>): FromSender {
  const response = { statusCode: 200, headers, body: '', bodyTruncated: false }
  const attempt = {
    id: 'att_1',
    startedAt: 1,
    durationMs: 1,
    request: { method: 'POST', url: 'https://example.com/', headers: {} },
    secretIds: [],
    response,
    error: null,
    errorDetail: null,
  }
  const verdict = {
    kind: 'attempted' as const,
    succeeded: true,
    isGone: false,
    isRefusedForGood: false,
    isOurShortage: false,
    isStale: false,
    retryAfterMs: null,
    attempt,
  }
  const result = { deliveryId: 'dlv_1', projectId: 'prj_1', endpointId: 'ep_1', leaseToken: 1 }
  return { kind: 'results', expiredSecretIds: [], results: [{ ...result, verdict }] }
}

/** Often the same as one before. */
const text = fc.oneof(fc.constantFrom('', 'a', 'b'), fc.string({ unit: 'binary', maxLength: 20 }))
const count = fc.nat()
const time = fc.double({ min: 0, max: 1e13, noNaN: true })
const maybe = <T>(what: fc.Arbitrary<T>) => fc.option(what, { nil: null })
const headers = fc.dictionary(text, text, { maxKeys: 8, noNullPrototype: true })

const toSender: fc.Arbitrary<ToSender> = fc.record({
  kind: fc.constant('deliveries'),
  events: fc.array(
    fc.record({
      id: text,
      projectId: text,
      type: text,
      timestamp: text,
      data: text,
      metadata: text,
    }),
  ),
  deliveries: fc.array(
    fc.record({
      id: text,
      projectId: text,
      endpointId: text,
      event: count,
      attemptNumber: count,
      isRetry: fc.boolean(),
      isImmediate: fc.boolean(),
      leaseToken: count,
      leaseUntilMonotonic: time,
    }),
  ),
})

const attempt = fc.record({
  id: text,
  startedAt: count,
  durationMs: time,
  request: fc.record({ method: text, url: text, headers }),
  secretIds: fc.array(text),
  response: maybe(
    fc.record({ statusCode: count, headers, body: text, bodyTruncated: fc.boolean() }),
  ),
  error: maybe(fc.constantFrom('dns', 'timeout', 'http_status')),
  errorDetail: maybe(text),
})

const fromSender: fc.Arbitrary<FromSender> = fc.record({
  kind: fc.constant('results'),
  results: fc.array(
    fc.record({
      deliveryId: text,
      projectId: text,
      endpointId: text,
      leaseToken: count,
      verdict: fc.oneof(
        fc.record({ kind: fc.constantFrom('skipped', 'endpoint_deleted') }),
        fc.record({ kind: fc.constant('released'), notBefore: maybe(count) }),
        fc.record({
          kind: fc.constant('attempted'),
          succeeded: fc.boolean(),
          isGone: fc.boolean(),
          isRefusedForGood: fc.boolean(),
          isOurShortage: fc.boolean(),
          isStale: fc.boolean(),
          retryAfterMs: maybe(count),
          attempt,
        }),
      ),
    }),
  ),
  expiredSecretIds: fc.array(text),
})
