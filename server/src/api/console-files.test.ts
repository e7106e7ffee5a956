import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { createTestApi } from '../../test/support/test-api.ts'

test('leads to the console, or to the reference where there is none', async () => {
  await using directory = await createConsole()
  await using server = await createTestApi({ consoleDirectory: directory.path })
  const reply = await server.call('GET', '/', { key: null })
  assert.equal(reply.status, 302)
  assert.equal(reply.headers.location, '/console/')
  assert.equal((await server.call('GET', '/console')).headers.location, '/console/')

  await using bare = await createTestApi()
  assert.equal((await bare.call('GET', '/')).headers.location, '/docs/')
  assert.equal((await bare.call('GET', '/console/')).status, 404)
})

test('serves the files of the console, and its start page for its own addresses', async () => {
  await using directory = await createConsole()
  await using server = await createTestApi({ consoleDirectory: directory.path })
  const read = (path: string) => server.call('GET', path, { key: null })
  for (const path of ['/console/', '/console/projects/prj_1/endpoints']) {
    const page = await read(path)
    assert.equal(page.text, '<h1>Console</h1>', path)
    assert.equal(page.headers['content-type'], 'text/html; charset=utf-8')
    assert.match(String(page.headers['content-security-policy']), /^default-src 'self'/)
  }
  const script = await read('/console/assets/app.js')
  assert.equal(script.text, 'run()')
  assert.equal(script.headers['content-type'], 'text/javascript; charset=utf-8')
  assert.equal((await read('/console/assets/missing.js')).status, 404)
})

test('answers 304 to who has the file already', async () => {
  await using directory = await createConsole()
  await using server = await createTestApi({ consoleDirectory: directory.path })
  const first = await server.call('GET', '/console/assets/app.js')
  const headers = { 'if-none-match': String(first.headers.etag) }
  const second = await server.call('GET', '/console/assets/app.js', { headers })
  assert.equal(second.status, 304)
  assert.equal(second.text, '')
})

test('lets nothing run and nothing style that is not in a file', async () => {
  await using directory = await createConsole()
  await using server = await createTestApi({ consoleDirectory: directory.path })
  const { headers } = await server.call('GET', '/console/', { key: null })
  const policy = String(headers['content-security-policy'])
  assert.match(policy, /default-src 'self'/)
  assert.doesNotMatch(policy, /unsafe|https?:|data:|\*/)
})

test('keeps what changes its name with its content, and compresses for who can read it', async () => {
  await using directory = await createConsole()
  await using server = await createTestApi({ consoleDirectory: directory.path })
  const headers = { 'accept-encoding': 'gzip, br' }
  const scripts = await Promise.all(
    Array.from({ length: 3 }, () => server.send('GET', '/console/assets/app.js', { headers })),
  )
  for (const { bytes } of scripts) assert.equal(gunzipSync(bytes).toString(), 'run()')
  const [script] = scripts
  assert.ok(script)
  assert.match(String(script.headers['cache-control']), /immutable/)
  assert.equal(script.headers['content-encoding'], 'gzip')
  assert.equal(script.headers.vary, 'accept-encoding')
  const page = await server.send('GET', '/console/')
  assert.equal(page.headers['cache-control'], 'no-cache')
  assert.equal(page.headers['content-encoding'], undefined)
})

test('leads nowhere outside the directory', async () => {
  await using directory = await createConsole()
  await using server = await createTestApi({ consoleDirectory: directory.path })
  for (const path of [
    '/console/../secret.txt',
    '/console/..%2fsecret.txt',
    '/console/%2e%2e/secret.txt',
    '/console/assets/../../secret.txt',
    '/console/..\\secret.txt',
    `/console/${encodeURIComponent(join(directory.path, '..', 'secret.txt'))}`,
  ]) {
    assert.equal((await server.call('GET', path)).status, 404, path)
  }
})

async function createConsole() {
  const base = await mkdtemp(join(tmpdir(), 'countersign-console-'))
  const path = join(base, 'console')
  await mkdir(join(path, 'assets'), { recursive: true })
  await writeFile(join(base, 'secret.txt'), 'outside')
  await writeFile(join(path, 'index.html'), '<h1>Console</h1>')
  await writeFile(join(path, 'assets', 'app.js'), 'run()')
  return {
    path,
    [Symbol.asyncDispose]: () => rm(base, { recursive: true, force: true }),
  }
}
