import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formats } from '../formats/registry.ts'
import { endpointProblems } from './endpoint-input.ts'

const urlPolicy = { problemOf: () => null, addressProblemOf: async () => null }

function isRefused(headers: Record<string, string>): boolean {
  return endpointProblems({ headers }, urlPolicy).length > 0
}

test('no caller sets a header that frames a request or names its sender', () => {
  for (const name of ['Host', 'Content-Length', 'Transfer-Encoding', 'Connection', 'User-Agent']) {
    assert.ok(isRefused({ [name]: 'x' }), name)
    assert.ok(isRefused({ [name.toLowerCase()]: 'x' }), name)
  }
})

test('no caller sets a header that signs, whatever the format of the endpoint is', () => {
  const reserved = Object.values(formats).flatMap(({ reservedHeaders }) => reservedHeaders)
  assert.ok(reserved.length > 0)
  for (const name of [...reserved, 'webhook-anything', 'svix-signature']) {
    assert.ok(isRefused({ [name]: 'x' }), name)
    assert.ok(isRefused({ [name.toUpperCase()]: 'x' }), name)
  }
})

test('no name or value of a header brings another one', () => {
  for (const text of ['a\r\nb: c', 'a\nb', 'a\0', '☃']) {
    assert.ok(isRefused({ 'X-Token': text }), JSON.stringify(text))
    assert.ok(isRefused({ [text]: 'x' }), JSON.stringify(text))
  }
  assert.ok(!isRefused({ 'X-Token': 'a value of their own', Authorization: 'Bearer of-theirs' }))
})
