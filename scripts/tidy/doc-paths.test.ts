import assert from 'node:assert/strict'
import { test } from 'node:test'
import { docPaths } from './doc-paths.ts'
import { createSourceTree } from './source-tree.ts'

function findings(text: string, page = 'docs/guides/page.md') {
  return docPaths.check(
    createSourceTree({
      [page]: text,
      'README.md': '',
      'docs/rotation.svg': null,
      'server/src/core/secret.ts': '',
    }),
  )
}

test('accepts paths and folders that exist, with or without a line', () => {
  const text =
    '`server/src/core/secret.ts` `server/src/core/secret.ts:12` `server/src/core/` `docs/guides`'
  assert.deepEqual(findings(text), [])
})

test('finds a quoted path that does not exist, on its line', () => {
  const [finding] = findings('First line.\nSee `server/src/core/secrets.ts`.')
  assert.equal(finding?.line, 2)
  assert.match(finding?.message ?? '', /server\/src\/core\/secrets\.ts/)
})

test('resolves links from the page', () => {
  assert.deepEqual(
    findings('[a](../../README.md) ![b](../rotation.svg "title") [c](page.md#top)'),
    [],
  )
  assert.deepEqual(findings('[a](README.md)', 'CHANGELOG.md'), [])
  assert.equal(findings('[a](README.md)').length, 1)
  assert.equal(findings('[a]: ../missing.md').length, 1)
})

test('leaves addresses, anchors, patterns, builds and fenced blocks alone', () => {
  const text = [
    '[a](https://example.com/x.md) [b](#top) [c](mailto:a@example.com)',
    '`server/src/core/*.ts` `docs/decisions/<name>.md` `server/dist/main.js` `npm/server`',
    '```sh',
    'cat `server/src/nowhere.ts`',
    '```',
  ].join('\n')
  assert.deepEqual(findings(text), [])
})

test('keeps line numbers behind a fenced block', () => {
  assert.equal(findings('```\na\nb\n```\n`docs/nowhere.md`')[0]?.line, 5)
})
