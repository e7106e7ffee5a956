import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publishedManifest } from './published-manifest.ts'

test('names its files from where they are published', () => {
  const manifest = {
    name: 'a',
    private: true,
    bin: { a: 'dist/main.js' },
    exports: { '.': { default: './src/index.ts' } },
    publishConfig: { exports: { '.': { default: './dist/index.js' } } },
    files: ['dist'],
    dependencies: { distance: '1.0.0' },
  }
  assert.deepEqual(publishedManifest(manifest), {
    name: 'a',
    bin: { a: 'main.js' },
    exports: { '.': { default: './index.js' } },
    dependencies: { distance: '1.0.0' },
  })
})
