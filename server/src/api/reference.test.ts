import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi } from '../../test/support/test-api.ts'
import { errorTable } from '../core/errors.ts'

test('explains every code at the address that a problem names', async () => {
  await using server = await createTestApi()
  const problem = await server.call('GET', '/nowhere', { key: null })
  const page = await server.call('GET', problem.body.type.replace(/#.*/, ''), { key: null })
  assert.equal(page.status, 200)
  assert.equal(page.headers['content-type'], 'text/html; charset=utf-8')
  for (const [code, { status }] of Object.entries(errorTable)) {
    assert.ok(page.text.includes(`id="${code}"`), code)
    assert.ok(page.text.includes(`<small>${status}</small>`), code)
  }
  assert.ok(!page.text.includes('`'), 'backticks have become code')
})

test('serves the reference without a key', async () => {
  await using server = await createTestApi()
  for (const path of ['/docs', '/docs/', '/docs/static/swagger-initializer.js', '/docs/json']) {
    assert.equal((await server.call('GET', path, { key: null })).status, 200, path)
  }
  const document = await server.call('GET', '/openapi.json', { key: null })
  const shown = await server.call('GET', '/docs/json', { key: null })
  assert.deepEqual(shown.body, document.body)
})

test('asks nothing of any other host', async () => {
  await using server = await createTestApi()
  const page = await server.call('GET', '/docs/', { key: null })
  const sources = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(
    ([, source = '']) => source,
  )
  assert.ok(sources.length >= 4)
  for (const source of sources) {
    assert.doesNotMatch(source, /^(?:[a-z]+:)?\/\//i)
    const file = new URL(source, 'http://localhost/docs/').pathname
    assert.equal((await server.call('GET', file, { key: null })).status, 200, file)
  }
  const start = await server.call('GET', '/docs/static/swagger-initializer.js', { key: null })
  assert.match(start.text, /validatorUrl: null/)
  // The browser is told so too, in case the page's own code would ask.
  for (const path of ['/docs/', '/docs/errors']) {
    const policy = String((await server.call('GET', path)).headers['content-security-policy'])
    assert.match(policy, /^default-src '(?:self|none)'/)
    assert.doesNotMatch(policy, /https?:|\*/)
  }
})
