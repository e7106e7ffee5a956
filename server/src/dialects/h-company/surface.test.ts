import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  AppError,
  type ErrorCode,
  errorTable,
  invalidField,
  invalidFields,
} from '../../core/errors.ts'
import { hCompanySurface } from './surface.ts'

const about = { requestId: 'req_1' }
const codes = Object.keys(errorTable) as ErrorCode[]

function bodyOf(error: AppError): { detail: unknown } {
  return JSON.parse(hCompanySurface.presentError(error, about).text ?? '')
}

test('every error of the product has a detail: a text, or at 422 a list', () => {
  for (const code of codes) {
    const cause = new Error('disk 3 of the cluster')
    const error = new AppError(code, { detail: 'Why.', cause })
    const answer = hCompanySurface.presentError(error, about)
    assert.equal(answer.contentType, undefined, 'JSON')
    assert.ok(!answer.text?.includes('disk 3'), code)
    const body = bodyOf(error)
    assert.deepEqual(Object.keys(body), ['detail'], code)
    if (answer.status === 422) {
      const type = code
      assert.deepEqual(body.detail, [{ loc: ['body'], msg: 'Why.', type }], code)
    } else {
      assert.ok(typeof body.detail === 'string' && body.detail.length > 0, code)
    }
  }
})

test('every error has its own status, but a conflict that no repetition ends: that is 400', () => {
  for (const code of codes) {
    const { status } = errorTable[code]
    const isVain = status === 409 && code !== 'idempotency_in_flight'
    const answer = hCompanySurface.presentError(new AppError(code, { detail: 'Why.' }), about)
    assert.equal(answer.status, isVain ? 400 : status, code)
  }
})

test('names every field at fault, as H Company calls it, and where it is', () => {
  const error = invalidFields([
    { param: 'url', detail: 'Is required.', code: 'missing' },
    { param: 'event_types.3', detail: 'Is unknown.', code: 'unknown_event_type' },
    { param: 'body', detail: 'Must be an object.', code: 'wrong_type' },
  ])
  assert.deepEqual(bodyOf(error).detail, [
    { loc: ['body', 'url'], msg: 'Is required.', type: 'missing' },
    { loc: ['body', 'enabled_events', 3], msg: 'Is unknown.', type: 'unknown_event_type' },
    { loc: ['body'], msg: 'Must be an object.', type: 'wrong_type' },
  ])
  for (const place of ['query', 'path'] as const) {
    const elsewhere = invalidFields([{ param: 'page', detail: 'Why.', code: 'x' }], place)
    assert.deepEqual(bodyOf(elsewhere).detail, [{ loc: [place, 'page'], msg: 'Why.', type: 'x' }])
  }
  assert.deepEqual(bodyOf(invalidField('Idempotency-Key', 'Why.', 'x')).detail, [
    { loc: ['header', 'Idempotency-Key'], msg: 'Why.', type: 'x' },
  ])
})

test('names no more than a hundred fields', () => {
  const errors = Array.from({ length: 101 }, (_, index) => ({
    param: `event_types.${index}`,
    detail: 'Is unknown.',
    code: 'unknown_event_type',
  }))
  assert.equal((bodyOf(invalidFields(errors)).detail as unknown[]).length, 100)
})

test('says of an id that is not found neither what it was nor what was looked for', () => {
  const details = ['There is no endpoint ep_1 here.', 'There is no webhook x here.']
  const texts = details.map((detail) => bodyOf(new AppError('not_found', { detail })).detail)
  assert.deepEqual(texts, Array(2).fill("Webhook not found or you don't have access."))
})

test('says when to come back', () => {
  const headersOf = (code: ErrorCode, seconds?: { retryAfterSeconds: number }) =>
    hCompanySurface.presentError(new AppError(code, { detail: 'Why.', ...seconds }), about).headers
  assert.deepEqual(headersOf('rate_limit_exceeded', { retryAfterSeconds: 3 }), {
    'retry-after': '3',
  })
  assert.deepEqual(headersOf('overloaded'), { 'retry-after': '1' })
  assert.deepEqual(headersOf('unauthorized'), { 'www-authenticate': 'Bearer' })
  assert.deepEqual(headersOf('internal_error'), {})
})
