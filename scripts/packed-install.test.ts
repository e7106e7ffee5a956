import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { version } from '../server/src/version.ts'
import { createPackedInstall, pack } from './packaging/packed-install.ts'
import { repositoryRoot, runNode } from './run-node.ts'

before(async () => {
  const { hasSucceeded, output } = await runNode(['scripts/build.ts'])
  assert.ok(hasSucceeded, output)
})

describe('what is published', () => {
  for (const workspace of ['sdk', 'server']) {
    test(`of ${workspace} has nothing that a linter of packages objects to`, async () => {
      const pkgDir = resolve(repositoryRoot, workspace, 'dist')
      const { messages, pkg } = await publint({ pkgDir, strict: true })
      assert.deepEqual(
        messages.map((message) => formatMessage(message, pkg)),
        [],
      )
    })
  }
})

describe('a packed install', () => {
  test('brings a program that runs, serves the console and finds its own files', async (t) => {
    const made = createPackedInstall()
    if (typeof made === 'string') return t.skip(made)
    using install = made
    const told = install.run(['--version'])
    assert.deepEqual([told.status, told.stdout.trim()], [0, version], told.stderr)
    const bench = install.run(['bench'])
    assert.deepEqual([bench.status, bench.stdout], [1, ''])
    assert.match(bench.stderr, /is in a checkout, not in the package/)
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

describe('on Node 24, the oldest that the package promises,', () => {
  test('the packed server rotates a secret under load and loses nothing', (t) => {
    const node = resolve(repositoryRoot, 'scripts/node-24/node_modules/.bin/node')
    if (!existsSync(node)) return t.skip('npm has no Node 24 for this machine.')
    const made = createPackedInstall()
    if (typeof made === 'string') return t.skip(made)
    using install = made
    const entry = join(install.directory, 'node_modules/countersign/main.js')
    const args = [entry, 'demo', '--seconds', '6', '--rate', '50']
    const { stdout, stderr } = spawnSync(node, args, { encoding: 'utf8', timeout: 60_000 })
    assert.match(stdout, /^[1-9]\d+ delivered, 0 rejected, 0 lost$/m, stderr)
  })
})

describe('the packed SDK, installed into an empty project', () => {
  let directory: string
  const run = (command: string, args: readonly string[]) => {
    const done = spawnSync(command, args, { cwd: directory, encoding: 'utf8', timeout: 60_000 })
    assert.equal(done.status, 0, `${done.stdout}${done.stderr}`)
    return done.stdout
  }
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'countersign-project-'))
    writeFileSync(join(directory, 'package.json'), '{ "private": true }\n')
    run('npm', ['install', '--offline', '--no-audit', '--no-fund', pack('sdk', directory)])
  })
  after(() => rmSync(directory, { recursive: true }))

  const use = `
    const client = new sdk.Countersign({ baseUrl: 'http://127.0.0.1:1', apiKey: 'csk_1' })
    sdk.verifyWebhook('{}', {}, 'whsec_' + btoa('a secret of some length')).catch((error) =>
      console.log(typeof client.endpoints.rotateSecret, error.code))`

  test('works in ESM, and from CommonJS by dynamic import', () => {
    writeFileSync(join(directory, 'a.mjs'), `import * as sdk from '@countersign/sdk'\n${use}\n`)
    writeFileSync(
      join(directory, 'b.cjs'),
      `import('@countersign/sdk').then((sdk) => {${use}\n})\n`,
    )
    for (const file of ['a.mjs', 'b.cjs']) {
      assert.equal(run(process.execPath, [file]), 'function missing_header\n', file)
    }
  })

  test('has types that every way to resolve modules finds', () => {
    writeFileSync(
      join(directory, 'use.mts'),
      `import { Countersign, verifyWebhook, type RotatedSecret } from '@countersign/sdk'
const client = new Countersign()
export const rotated: Promise<RotatedSecret> = client.endpoints.rotateSecret('p', 'e')
export const event = verifyWebhook('', {}, 'whsec_', { format: 'github' })
// @ts-expect-error: there is no such format.
export const wrong = verifyWebhook('', {}, 'whsec_', { format: 'none' })
`,
    )
    const tsc = resolve(repositoryRoot, 'node_modules/typescript/bin/tsc')
    for (const [module, resolution] of [
      ['nodenext', 'nodenext'],
      ['esnext', 'bundler'],
    ]) {
      const args = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2023,dom']
      run(process.execPath, [
        ...[tsc, ...args, '--module', module ?? '', '--moduleResolution', resolution ?? ''],
        'use.mts',
      ])
    }
  })
})
