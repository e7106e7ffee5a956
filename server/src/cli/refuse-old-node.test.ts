import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { refuseOldNode } from './refuse-old-node.ts'

test('refuses a Node that the package does not promise to run on, and no other', () => {
  const manifest = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')
  const [, oldest = ''] = /^>=(\d+)$/.exec(JSON.parse(manifest).engines.node) ?? []
  assert.equal(refuseOldNode(`${oldest}.0.0`), null)
  assert.equal(refuseOldNode(process.versions.node), null)
  assert.match(
    refuseOldNode(`${Number(oldest) - 1}.11.1`) ?? '',
    /needs Node \d+ or newer; this is/,
  )
})
