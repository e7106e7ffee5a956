import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError, type ErrorCode, errorTable, invalidFields } from '../../core/errors.ts'
import { devtuneSurface } from './surface.ts'

const about = { requestId: 'req_1' }

function bodyOf(error: AppError): Record<string, unknown> {
  return JSON.parse(devtuneSurface.presentError(error, about).text ?? '')
}

test('every error of the product is flat, with a code of its status', () => {
  const codes = new Map<number, unknown>()
  for (const code of Object.keys(errorTable) as ErrorCode[]) {
    const cause = new Error('disk 3 of the cluster')
    const answer = devtuneSurface.presentError(new AppError(code, { detail: 'Why.', cause }), about)
    assert.equal(answer.contentType, undefined, 'JSON')
    assert.ok(!answer.text?.includes('disk 3'), code)
    const body = JSON.parse(answer.text ?? '')
    assert.deepEqual(Object.keys(body), ['error', 'message', 'status'], code)
    assert.equal(body.status, answer.status, code)
    assert.ok(body.message.length > 0, code)
    assert.equal(codes.get(answer.status) ?? body.error, body.error, 'one code for each status')
    codes.set(answer.status, body.error)
  }
  assert.deepEqual(
    [400, 401, 403, 404, 429].map((status) => codes.get(status)),
    ['bad_request', 'unauthorized', 'forbidden', 'not_found', 'rate_limit_exceeded'],
  )
  assert.equal(new Set(codes.values()).size, codes.size, 'and one status for each code')
  assert.ok(!codes.has(422), 'its documents know no 422')
})

test('what is wrong with a request is 400, whatever it is called elsewhere', () => {
  const codes: ErrorCode[] = ['validation_failed', 'invalid_json', 'idempotency_key_reused']
  for (const code of codes) {
    const body = bodyOf(new AppError(code, { detail: 'Why.' }))
    assert.deepEqual(body, { error: 'bad_request', message: 'Why.', status: 400 })
  }
})

test('names every field at fault, as DevTune calls it', () => {
  const error = invalidFields([
    { param: 'url', detail: 'Is required.', code: 'missing' },
    { param: 'event_types.3', detail: 'Is unknown.', code: 'unknown_event_type' },
  ])
  assert.equal(bodyOf(error).message, 'url: Is required. events.3: Is unknown.')
})

test('says of what is not found neither what it was nor what was looked for', () => {
  const details = ['There is no endpoint ep_1 here.', 'There is no such project.']
  const [first, second] = details.map((detail) => bodyOf(new AppError('not_found', { detail })))
  assert.deepEqual(first, second)
  assert.doesNotMatch(String(first?.message), /ep_1|endpoint/)
})

test('says when to come back', () => {
  const headersOf = (code: ErrorCode, retryAfterSeconds?: number) =>
    devtuneSurface.presentError(
      new AppError(code, {
        detail: 'Why.',
        ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      }),
      about,
    ).headers
  assert.deepEqual(headersOf('rate_limit_exceeded', 3), { 'retry-after': '3' })
  assert.deepEqual(headersOf('unauthorized'), { 'www-authenticate': 'Bearer' })
  assert.deepEqual(headersOf('secret_changed'), {})
})
