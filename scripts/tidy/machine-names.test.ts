import assert from 'node:assert/strict'
import { test } from 'node:test'
import { machineNames } from './machine-names.ts'
import { createSourceTree } from './source-tree.ts'

function count(text: string, path = 'docs/page.md'): number {
  return machineNames.check(createSourceTree({ [path]: text })).length
}

/** Put together here, so that this file passes its own rule. */
const absolute = (...segments: string[]) => `/${segments.join('/')}`
const host = (...labels: string[]) => labels.join('.')

test('finds paths of one machine', () => {
  assert.equal(count(`see ${absolute('work', 'main', 'a.ts')}`), 1)
  assert.equal(count(`'${absolute('root', 'x')}'`), 1)
  assert.equal(count(`cd ${absolute('home', 'ada', 'code')}`), 1)
  assert.equal(count(`cd ${absolute('Users', 'ada', 'code')}`), 1)
})

test('finds hosts of registries', () => {
  assert.equal(count(`https://${host('registry', 'example', 'org')}/undici`), 1)
  assert.equal(count(host('registry', 'npm' + 'js', 'org'), '.npmrc'), 1)
})

test('finds download addresses in a lockfile, and no links between workspaces', () => {
  const address = '"resolved": "https://packages.example.com/a.tgz"'
  assert.equal(count(address, 'package-lock.json'), 1)
  assert.equal(count('"resolved": "server", "link": true', 'package-lock.json'), 0)
})

test('leaves relative paths, addresses and calls alone', () => {
  assert.equal(count('bench/.work/data, a/root/b, https://example.com/work/order'), 0)
  assert.equal(count('registry.register(metric); prometheus.registry.metrics()', 'a.ts'), 0)
})
