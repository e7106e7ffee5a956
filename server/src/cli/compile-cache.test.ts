import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'

const module = new URL('./compile-cache.ts', import.meta.url).href
const isRoot = process.getuid?.() === 0

/** A checkout with a module for the process and one for a thread of it. */
function makeCheckout(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'countersign-checkout-'))
  t.after(() => rmSync(root, { recursive: true }))
  const packages = join(root, 'node_modules')
  const sources = join(root, 'server', 'src')
  mkdirSync(packages)
  mkdirSync(sources, { recursive: true })
  writeFileSync(join(sources, 'loaded.ts'), 'export const inProcess: string = "in the process"')
  writeFileSync(join(sources, 'thread.ts'), 'export const inThread: string = "in a thread"')
  return { sources, packages, directory: join(packages, '.countersign-compiled') }
}

/** Begins as `main.ts` does, and says what its environment names then. */
function begin(
  { sources }: ReturnType<typeof makeCheckout>,
  options: { entry?: string; environment?: NodeJS.ProcessEnv; umask?: number } = {},
): string {
  const urlOf = (name: string) => JSON.stringify(pathToFileURL(join(sources, name)).href)
  const program = `
    import { once } from 'node:events'
    import { Worker } from 'node:worker_threads'
    import { cacheCompiled } from ${JSON.stringify(module)}
    process.umask(${options.umask ?? 0o022})
    cacheCompiled(process, ${urlOf(options.entry ?? 'main.ts')})
    await import(${urlOf('loaded.ts')})
    await once(new Worker(new URL(${urlOf('thread.ts')}), { execArgv: [] }), 'exit')
    console.log(process.env.NODE_COMPILE_CACHE ?? '')`
  const { NODE_COMPILE_CACHE: _, NODE_DISABLE_COMPILE_CACHE: __, ...env } = process.env
  const run = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    env: { ...env, ...options.environment },
  })
  assert.deepEqual([run.status, run.stderr], [0, ''])
  return run.stdout.trim()
}

/** All that is in the files of a folder. */
function contentsOf(directory: string): string {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')
}

test('what is made of the sources is kept beside the packages, for threads too', (t) => {
  const checkout = makeCheckout(t)
  assert.equal(begin(checkout), checkout.directory)
  const contents = contentsOf(checkout.directory)
  assert.match(contents, /in the process/)
  assert.match(contents, /in a thread/)
})

test('nobody else can put code there, whatever the process lets others do', (t) => {
  const checkout = makeCheckout(t)
  assert.equal(begin(checkout, { umask: 0 }), checkout.directory)
  assert.equal(statSync(checkout.directory).mode & 0o777, 0o700)
})

test('a folder that others can write to, or that leads elsewhere, is not used', (t) => {
  const open = makeCheckout(t)
  mkdirSync(open.directory)
  chmodSync(open.directory, 0o770)
  assert.equal(begin(open), '')
  assert.deepEqual(readdirSync(open.directory), [])
  const led = makeCheckout(t)
  mkdirSync(join(led.sources, 'elsewhere'))
  symlinkSync(join(led.sources, 'elsewhere'), led.directory)
  assert.equal(begin(led), '')
  assert.deepEqual(readdirSync(led.directory), [])
})

test("nothing is kept in another user's checkout", (t) => {
  if (!isRoot) return t.skip('Only root can give a folder away.')
  const checkout = makeCheckout(t)
  chownSync(checkout.packages, 65_534, 65_534)
  assert.equal(begin(checkout), '')
  assert.equal(existsSync(checkout.directory), false)
})

test('nothing is kept as installed, where someone said otherwise, or without packages', (t) => {
  const checkout = makeCheckout(t)
  assert.equal(begin(checkout, { entry: 'main.js' }), '')
  assert.equal(begin(checkout, { environment: { NODE_DISABLE_COMPILE_CACHE: '1' } }), '')
  const elsewhere = join(checkout.sources, 'elsewhere')
  assert.equal(begin(checkout, { environment: { NODE_COMPILE_CACHE: elsewhere } }), elsewhere)
  assert.equal(existsSync(checkout.directory), false)
  rmSync(checkout.packages, { recursive: true })
  assert.equal(begin(checkout), '')
})
