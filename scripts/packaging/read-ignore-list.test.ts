import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readIgnoreList } from './read-ignore-list.ts'

test('the last line that fits a path or a folder above it decides', () => {
  const isIgnored = readIgnoreList(
    '# nothing but\n*\n!server\n!package.json\n\n**/*.test.ts\n**/.env*\nserver/test/\n',
  )
  for (const path of ['server/src/app.ts', 'package.json', 'server/package.json']) {
    assert.ok(!isIgnored(path), path)
  }
  for (const path of [
    ...['.env', '.ci/run', 'data/root-key', 'server/.env.local', 'server/src/app.test.ts'],
    ...['server/test/support/until.ts', 'console/index.html', 'package-lock.json'],
  ]) {
    assert.ok(isIgnored(path), path)
  }
  assert.ok(!readIgnoreList('')('anything'))
})
