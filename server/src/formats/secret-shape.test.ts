import assert from 'node:assert/strict'
import { test } from 'node:test'
import { base64Secrets, hexTextSecrets, urlSafeTextSecrets } from './secret-shape.ts'

test('a text secret is its own key, prefix and all', () => {
  for (const text of ['whsec_0123456789abcdef01', '~!"#$%&\'()*+,-./0123456789', 'x'.repeat(64)]) {
    const read = hexTextSecrets.readSecret(text)
    assert.ok('keyBytes' in read)
    assert.equal(Buffer.from(read.keyBytes).toString('utf8'), text)
  }
})

test('says as a sentence what is wrong with a secret, without repeating it', () => {
  const bad = ['', 'short', 'x'.repeat(65), `with a space ${'x'.repeat(20)}`, `ü${'x'.repeat(30)}`]
  bad.push(`tab\t${'x'.repeat(30)}`, `line\n${'x'.repeat(30)}`, `${'x'.repeat(30)}\n`)
  for (const shape of [hexTextSecrets, urlSafeTextSecrets, base64Secrets({ bytesGenerated: 32 })]) {
    for (const text of bad) {
      const read = shape.readSecret(text)
      assert.ok('problem' in read, `took ${JSON.stringify(text)}`)
      assert.match(read.problem, /^Must .*\.$/)
      assert.ok(text === '' || !read.problem.includes(text))
    }
  }
})
