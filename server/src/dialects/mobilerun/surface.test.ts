import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError, type ErrorCode, errorTable, invalidFields } from '../../core/errors.ts'
import { mobilerunSurface } from './surface.ts'

const about = { requestId: 'req_1' }

function bodyOf(error: AppError): Record<string, unknown> {
  return JSON.parse(mobilerunSurface.presentError(error, about).text ?? '')
}

test('every error of the product is {"error": text} under its own status', () => {
  for (const code of Object.keys(errorTable) as ErrorCode[]) {
    const cause = new Error('disk 3 of the cluster')
    const answer = mobilerunSurface.presentError(
      new AppError(code, { detail: 'Why.', cause }),
      about,
    )
    assert.equal(answer.status, errorTable[code].status, code)
    assert.equal(answer.contentType, undefined, 'JSON')
    const body = JSON.parse(answer.text ?? '')
    assert.deepEqual(Object.keys(body), ['error'], code)
    assert.ok(body.error.length > 0, code)
    assert.ok(!answer.text?.includes('disk 3'), code)
  }
})

test('names every field at fault, as Mobilerun calls it', () => {
  const error = invalidFields([
    { param: 'url', detail: 'Is required.', code: 'missing' },
    { param: 'event_types.3', detail: 'Is reserved.', code: 'reserved' },
  ])
  assert.deepEqual(bodyOf(error), { error: 'url: Is required. eventTypes.3: Is reserved.' })
})

test('says of an id that is not found neither what it was nor what was looked for', () => {
  const details = ['There is no endpoint ep_1 here.', 'There is no webhook x here.']
  const texts = details.map((detail) => bodyOf(new AppError('not_found', { detail })).error)
  assert.equal(texts[0], texts[1])
  assert.doesNotMatch(String(texts[0]), /ep_1|endpoint/)
})

test('says when to come back, and whether to come back at all', () => {
  const headersOf = (code: ErrorCode, retryAfterSeconds?: number) =>
    mobilerunSurface.presentError(
      new AppError(code, {
        detail: 'Why.',
        ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      }),
      about,
    ).headers
  assert.deepEqual(headersOf('rate_limit_exceeded', 3), { 'retry-after': '3' })
  assert.deepEqual(headersOf('unauthorized'), { 'www-authenticate': 'Bearer' })
  assert.deepEqual(headersOf('secret_changed'), { 'x-should-retry': 'false' })
  assert.deepEqual(headersOf('endpoint_limit_reached'), { 'x-should-retry': 'false' })
  assert.deepEqual(headersOf('idempotency_in_flight'), {})
  assert.deepEqual(headersOf('internal_error'), {})
})
