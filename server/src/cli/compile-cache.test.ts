import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'

const module = new URL('./compile-cache.ts', import.meta.url).href

/** A checkout of two files, and a process that begins there as `main.ts` does. */
function begin(
  t: TestContext,
  options: { entry: string; environment?: object; isClosed?: boolean },
) {
  const root = mkdtempSync(join(tmpdir(), 'countersign-checkout-'))
  t.after(() => rmSync(root, { recursive: true }))
  mkdirSync(join(root, 'server', 'src'), { recursive: true })
  // Nobody can make a folder in what is a file, whoever runs this.
  if (options.isClosed) writeFileSync(join(root, 'node_modules'), '')
  else mkdirSync(join(root, 'node_modules'))
  const loaded = join(root, 'server', 'src', 'loaded.ts')
  writeFileSync(loaded, 'export const one: number = 1')
  const program = `
    import { cacheCompiled } from ${JSON.stringify(module)}
    const owner = { env: ${JSON.stringify(options.environment ?? {})} }
    cacheCompiled(owner, ${JSON.stringify(pathToFileURL(join(root, 'server', 'src', options.entry)))})
    await import(${JSON.stringify(pathToFileURL(loaded))})
    console.log(owner.env.NODE_COMPILE_CACHE ?? '')`
  const { NODE_COMPILE_CACHE: _, ...env } = process.env
  const run = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    env,
  })
  assert.deepEqual([run.status, run.stderr], [0, ''])
  const directory = join(root, 'node_modules', '.cache', 'countersign')
  const kept = () => readdirSync(directory, { recursive: true })
  return { root, directory, said: run.stdout.trim(), kept }
}

test('what is made of the sources is kept beside the packages, for threads too', (t) => {
  const { directory, said, kept } = begin(t, { entry: 'main.ts' })
  assert.equal(said, directory)
  assert.notEqual(kept().length, 0)
})

test('nothing is kept as installed, where someone said otherwise, or where it cannot be', (t) => {
  const installed = begin(t, { entry: 'main.js' })
  assert.equal(installed.said, '')
  assert.throws(installed.kept, /ENOENT/)
  const told = begin(t, { entry: 'main.ts', environment: { NODE_COMPILE_CACHE: '/elsewhere' } })
  assert.equal(told.said, '/elsewhere')
  assert.throws(told.kept, /ENOENT/)
  assert.equal(begin(t, { entry: 'main.ts', isClosed: true }).said, '')
})
