import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ResponseTooLarge } from './http-connection.ts'
import { InvalidRequest } from './request-head.ts'
import { InvalidResponse } from './response-head.ts'
import { ResponseHeadTooLarge } from './response-parser.ts'
import { classifyFailure, toDetail } from './send-failure.ts'

const failing = (code: string): Error => Object.assign(new Error('x'), { code })

test('every failure of a connection has its word in the closed list', () => {
  const table: [Error | null, string][] = [
    [new ResponseTooLarge('It is too large.'), 'response_too_large'],
    [new ResponseHeadTooLarge('It is too large.'), 'response_too_large'],
    [new InvalidRequest('a header'), 'connect'],
    // TLS 1.3 reports a missing client certificate after the handshake.
    [failing('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED'), 'tls'],
    [new InvalidResponse('no status line'), 'reset'],
    [failing('ECONNRESET'), 'reset'],
    [failing('EPIPE'), 'reset'],
    [new Error('no code at all'), 'reset'],
    [null, 'reset'],
  ]
  for (const [error, word] of table) {
    const { error: given, detail } = classifyFailure(error)
    assert.equal(given, word, String(error))
    assert.match(detail, /^[A-Z].*\.$/)
  }
})

test('a detail is one bounded line', () => {
  assert.equal(toDetail('a\r\nb\u001b[31m\0c', 100), 'a b [31m c')
  assert.equal(toDetail('x'.repeat(101), 100).length, 100)
  assert.equal(toDetail('x'.repeat(100), 100), 'x'.repeat(100))
})
