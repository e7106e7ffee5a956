import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { build } from 'rolldown'
import { readVectorFiles } from '../test/judge-vectors.ts'
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

/** The tests say on the pinned Node what they say; this one is about the oldest that is promised. */
test('passes its tests on Node 24', (t) => {
  const node = join(import.meta.dirname, '../../scripts/node-24/node_modules/.bin/node')
  if (!existsSync(node)) return t.skip('npm has no Node 24 for this machine.')
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout
  assert.match(version, /^v24\./)
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !onAnyNode.includes(name))
    .map((name) => join(import.meta.dirname, name))
  // Without what this run has told us: the other one would answer in a form of its own.
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env
  const parameters = ['--test', '--test-reporter=tap', '--test-concurrency=1', ...files]
  const run = spawnSync(node, parameters, { encoding: 'utf8', env, timeout: 100_000 })
  assert.equal(run.status, 0, run.stdout + run.stderr)
  const [, count = '0'] = /^# pass (\d+)$/m.exec(run.stdout) ?? []
  t.diagnostic(`${count} tests on ${version}`)
  assert.ok(Number(count) > 150, count)
})

/** This file, and one about what a compiler says. */
const onAnyNode = ['runtimes.test.ts', 'index.test.ts']

test('verifies the vectors of every format in Chromium', async (t) => {
  const script = await bundleWhole(join(folder, 'verify-in-page.ts'))
  const vectors = JSON.stringify(readVectorFiles()).replaceAll('<', '\\u003c')
  const page = `<!doctype html><meta charset=utf-8><script type=application/json id=vectors>${vectors}</script><pre id=verdict></pre><script type=module>${script}</script>`
  // Pages of this machine alone have Web Crypto without https.
  await using server = await servePage(page)
  const parameters = ['--headless', '--no-sandbox', '--disable-gpu', '--dump-dom']
  const run = await runToEnd('chromium', [...parameters, '--virtual-time-budget=20000', server.url])
  if (run === null) return t.skip('There is no chromium here.')
  const [, verdict = ''] = /<pre id="verdict">(.*?)<\/pre>/s.exec(run) ?? []
  const { count, wrong } = JSON.parse(verdict)
  assert.deepEqual(wrong, [])
  assert.ok(count > 100)
})

/** As a bundler ships it to a browser, in bytes after gzip. */
const bytesMax = { 'verify-webhook.ts': 4_096, 'countersign.ts': 12_288, 'index.ts': 12_288 }

for (const [entry, max] of Object.entries(bytesMax)) {
  test(`${entry} and all that it loads at once take at most ${max} bytes, compressed`, async (t) => {
    const bytes = gzipSync(await bundleAtOnce(join(import.meta.dirname, entry))).length
    t.diagnostic(`${bytes} bytes`)
    assert.ok(bytes <= max, `${bytes} bytes`)
  })
}

/** All of a module in one file. */
async function bundleWhole(input: string): Promise<string> {
  const output = { minify: true, codeSplitting: false }
  return (await build({ input, write: false, output })).output[0].code
}

/** What of a module is loaded at once; what it imports later is left out. */
async function bundleAtOnce(input: string): Promise<string> {
  const { output } = await build({ input, write: false, output: { minify: true } })
  const chunks = output.filter((part) => part.type === 'chunk')
  const wanted = chunks.filter(({ isEntry }) => isEntry)
  // Goes on while it grows: what is imported by what is wanted is wanted as well.
  for (const { imports } of wanted) {
    wanted.push(...chunks.filter((c) => imports.includes(c.fileName) && !wanted.includes(c)))
  }
  return wanted.map(({ code }) => code).join('')
}

async function servePage(page: string): Promise<AsyncDisposable & { url: string }> {
  const server = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end(page),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Standard output; null where there is no such program. */
function runToEnd(command: string, parameters: string[]): Promise<string | null> {
  return new Promise((resolve, reject) => {
    execFile(command, parameters, { timeout: 60_000 }, (error, stdout) => {
      if (error?.code === 'ENOENT') resolve(null)
      else if (error) reject(error)
      else resolve(stdout)
    })
  })
}

test('verifying needs nothing of the client', () => {
  const needed = [...modulesOf('verify-webhook.ts').keys()].map((path) => basename(path))
  for (const name of ['countersign.ts', 'transport.ts', 'list.ts', 'wait-for.ts']) {
    assert.ok(!needed.includes(name), name)
  }
})
