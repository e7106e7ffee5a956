import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { version } from '../server/src/version.ts'
import { createPackedInstall } from './packaging/packed-install.ts'
import { runNode } from './run-node.ts'

describe('a packed install', () => {
  test('brings a program that runs, serves the console and finds its own files', async () => {
    const { hasSucceeded } = await runNode(['scripts/build.ts'])
    assert.ok(hasSucceeded)
    using install = createPackedInstall()
    const told = install.run(['--version'])
    assert.deepEqual([told.status, told.stdout.trim()], [0, version], told.stderr)
    const migrated = install.run(['migrate'])
    assert.equal(migrated.status, 0, migrated.stderr)
    assert.match(migrated.stdout, /applied 0001-initial/)

    const server = install.start(['serve', '--port', '0'])
    try {
      let output = ''
      const url = await new Promise<string>((resolve, reject) => {
        const look = (text: unknown) => {
          output += text
          const [, found] = /Listening on (http[^"]+)"/.exec(output) ?? []
          if (found !== undefined) resolve(found)
        }
        server.stdout?.on('data', look)
        server.stderr?.on('data', look)
        server.once('exit', () => reject(new Error(output)))
      })
      assert.equal((await fetch(new URL('/readyz', url))).status, 200)
      const page = await fetch(new URL('/console/', url))
      assert.equal(page.status, 200)
      assert.match(await page.text(), /<title>/)
      const exited = once(server, 'exit')
      server.kill('SIGTERM')
      assert.deepEqual(await exited, [0, null], output)
    } finally {
      server.kill('SIGKILL')
    }
  })
})
