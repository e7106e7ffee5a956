import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError, type ErrorCode, errorTable, invalidFields } from '../../core/errors.ts'
import { composioSurface } from './surface.ts'

const about = { requestId: 'req_1' }
const codes = Object.keys(errorTable) as ErrorCode[]

function present(code: ErrorCode, details: object = {}) {
  const answer = composioSurface.presentError(
    new AppError(code, { detail: 'Why.', ...details }),
    about,
  )
  return { ...answer, body: JSON.parse(answer.text ?? '') }
}

test('every error of the product has the shape of Composio, but too many requests', () => {
  for (const code of codes.filter((each) => errorTable[each].status !== 429)) {
    const { status, body, contentType } = present(code, { cause: new Error('disk 3') })
    const own = errorTable[code].status
    assert.equal(status, own === 422 ? 400 : own, code)
    assert.equal(contentType, undefined, 'JSON')
    assert.deepEqual(Object.keys(body), ['error'], code)
    const { message, code: number, slug, suggested_fix: fix, ...rest } = body.error
    assert.deepEqual(rest, { status, request_id: 'req_1' }, code)
    assert.equal(number, 10_000 + status, code)
    assert.match(slug, /^HTTP_[A-Z][A-Za-z]+$/, code)
    assert.ok(typeof message === 'string' && message.length > 0, code)
    assert.ok(fix === undefined || fix.length > 0, code)
    assert.doesNotMatch(JSON.stringify(body), /disk 3/, code)
  }
})

test('too many requests are a message alone, and when to come back', () => {
  const { status, body, headers } = present('rate_limit_exceeded', { retryAfterSeconds: 3 })
  assert.deepEqual([status, body], [429, { message: 'Why.' }])
  assert.deepEqual(headers, { 'retry-after': '3' })
})

test('the slugs are those of the status', () => {
  const slugOf = (code: ErrorCode) => present(code).body.error.slug
  assert.equal(slugOf('unauthorized'), 'HTTP_Unauthorized')
  assert.equal(slugOf('validation_failed'), 'HTTP_BadRequest')
  assert.equal(slugOf('not_found'), 'HTTP_NotFound')
  assert.equal(slugOf('internal_error'), 'HTTP_InternalServerError')
  assert.equal(slugOf('headers_too_large'), 'HTTP_RequestHeaderFieldsTooLarge')
})

test('names every field at fault, as Composio calls it', () => {
  const errorOf = (...params: string[]) => {
    const errors = params.map((param) => ({ param, detail: 'Is wrong.', code: 'wrong' }))
    return JSON.parse(composioSurface.presentError(invalidFields(errors), about).text ?? '').error
  }
  const one = errorOf('url')
  assert.deepEqual(
    [one.message, one.errors],
    ['webhook_url: Is wrong.', ['webhook_url: Is wrong.']],
  )
  const two = errorOf('event_types.3', 'format')
  assert.match(two.message, /^2 fields/)
  assert.deepEqual(two.errors, ['enabled_events.3: Is wrong.', 'version: Is wrong.'])
  assert.equal(errorOf(...Array(500).fill('url')).errors.length, 100)
})

test('says of an id that is not found neither what it was nor what was looked for', () => {
  const details = ['There is no endpoint ep_1 here.', 'There is no subscription x here.']
  const texts = details.map((detail) => present('not_found', { detail }).text)
  assert.equal(texts[0], texts[1])
  assert.doesNotMatch(texts[0] ?? '', /ep_1|endpoint/)
})

test('a conflict is not to be sent again, unless that would help', () => {
  for (const code of codes.filter((each) => errorTable[each].status === 409)) {
    const expected = code === 'idempotency_in_flight' ? undefined : 'false'
    assert.equal(present(code).headers?.['x-should-retry'], expected, code)
  }
  assert.equal(present('internal_error').headers?.['x-should-retry'], undefined)
})

test('takes exactly one credential', () => {
  const { credentialOf } = composioSurface
  assert.equal(credentialOf({ 'x-api-key': 'one' }), 'one')
  assert.equal(credentialOf({ 'x-user-api-key': 'one' }), 'one')
  assert.equal(credentialOf({ authorization: 'Bearer one' }), 'one')
  const refused: Record<string, string>[] = [
    {},
    { 'x-api-key': 'one', 'x-user-api-key': 'one' },
    { 'x-api-key': 'one', authorization: 'Bearer one' },
    { 'x-user-api-key': 'one', authorization: 'Bearer one' },
    { 'x-api-key': 'one', 'x-org-api-key': 'one' },
    { 'x-org-api-key': 'one' },
    { authorization: 'one' },
  ]
  for (const headers of refused) {
    const message = JSON.stringify(headers)
    assert.throws(() => credentialOf(headers), { name: 'AppError', code: 'unauthorized' }, message)
  }
})

test('tells what is left in the names of Composio', () => {
  const quota = {
    isAllowed: true,
    limit: 400,
    remaining: 399,
    resetAt: 0,
    windowMs: 1_500,
    retryAfterMs: 0,
  }
  assert.deepEqual(composioSurface.rateLimitHeaders(quota), {
    'x-ratelimit': '400',
    'x-ratelimit-remaining': '399',
    'x-ratelimit-window-size': '2s',
  })
})
