import assert from 'node:assert/strict'
import { test } from 'node:test'
import { classifyFailure, toDetail } from './send-failure.ts'

const failing = (code: string, message = 'x'): Error => Object.assign(new Error(message), { code })

test('every failure of a connection has its word in the closed list', () => {
  const table: [string, string][] = [
    ['UND_ERR_HEADERS_OVERFLOW', 'response_too_large'],
    ['UND_ERR_INVALID_ARG', 'connect'],
    ['UND_ERR_NOT_SUPPORTED', 'connect'],
    ['UND_ERR_REQ_CONTENT_LENGTH_MISMATCH', 'connect'],
    // TLS 1.3 reports a missing client certificate after the handshake.
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tls'],
    ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'reset'],
    ['HPE_INVALID_CONSTANT', 'reset'],
    ['UND_ERR_SOCKET', 'reset'],
    ['ECONNRESET', 'reset'],
    ['EPIPE', 'reset'],
  ]
  for (const [code, error] of table) assert.equal(classifyFailure(failing(code)).error, error, code)
  assert.equal(classifyFailure(new Error('no code at all')).error, 'reset')
})

test('a detail is one bounded line', () => {
  assert.equal(toDetail('a\r\nb\u001b[31m\0c', 100), 'a b [31m c')
  assert.equal(toDetail('x'.repeat(101), 100).length, 100)
  assert.equal(toDetail('x'.repeat(100), 100), 'x'.repeat(100))
})
