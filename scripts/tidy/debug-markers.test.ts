import assert from 'node:assert/strict'
import { test } from 'node:test'
import { debugMarkers } from './debug-markers.ts'
import { createSourceTree } from './source-tree.ts'

/** Joined here, so that this file passes its own rule. */
const markers = [
  ['TO', 'DO'].join(''),
  ['FIX', 'ME'].join(''),
  'X'.repeat(3),
  ['HA', 'CK'].join(''),
]

test('finds every marker in every text, on its line', () => {
  for (const marker of markers) {
    const tree = createSourceTree({ 'a.ts': `a()\n// ${marker}: later\n`, 'b.sql': `-- ${marker}` })
    assert.deepEqual(
      debugMarkers.check(tree).map(({ path, line }) => `${path}:${line}`),
      ['a.ts:2', 'b.sql:1'],
    )
  }
})

test('leaves longer words, lower case, and quotes on a page alone', () => {
  const [first] = markers
  const tree = createSourceTree({
    'a.ts': `whsec_${'X'.repeat(3)} ${'X'.repeat(4)} ${first}S hack`,
    'b.md': `We leave no \`${first}\` behind.`,
    'package-lock.json': `"integrity": "sha512-/${first}/"`,
  })
  assert.deepEqual(debugMarkers.check(tree), [])
})
