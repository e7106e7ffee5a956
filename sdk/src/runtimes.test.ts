import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { modulesOf } from '../test/module-graph.ts'

const folder = join(import.meta.dirname, '../test')

const runtimes: { name: string; command: string; parameters: string[]; script: string }[] = [
  {
    name: 'with Web Crypto, text encoding, base64 and URL alone',
    command: process.execPath,
    parameters: ['--experimental-vm-modules', '--no-warnings'],
    script: 'verify-in-bare-runtime.ts',
  },
  {
    name: 'in Deno',
    command: 'deno',
    parameters: ['run', '--quiet', '--no-config', '--no-lock', '--allow-read'],
    script: 'verify-in-this-runtime.ts',
  },
  { name: 'in Bun', command: 'bun', parameters: ['run'], script: 'verify-in-this-runtime.ts' },
]

for (const { name, command, parameters, script } of runtimes) {
  test(`verifies the vectors of every format ${name}`, (t) => {
    const run = spawnSync(command, [...parameters, join(folder, script)], { encoding: 'utf8' })
    if (run.error) return t.skip(`There is no ${command} here.`)
    assert.equal(run.status, 0, run.stderr)
    const { count, wrong } = JSON.parse(run.stdout)
    assert.deepEqual(wrong, [])
    assert.ok(count > 100)
  })
}

/** Somewhat more than was measured (14 and 7 KiB), so that growth is a choice. */
const kibibytesMax = { 'index.ts': 16, 'verify-webhook.ts': 8 }

for (const [entry, max] of Object.entries(kibibytesMax)) {
  test(`${entry} and all that it needs take at most ${max} KiB, compressed`, (t) => {
    const bytes = gzipSync([...modulesOf(entry).values()].join('\n')).length
    t.diagnostic(`${bytes} bytes`)
    assert.ok(bytes <= max * 1_024, `${bytes} bytes`)
  })
}

test('verifying needs nothing of the client', () => {
  const needed = [...modulesOf('verify-webhook.ts').keys()].map((path) => basename(path))
  for (const name of ['countersign.ts', 'transport.ts', 'list.ts', 'wait-for.ts']) {
    assert.ok(!needed.includes(name), name)
  }
})
