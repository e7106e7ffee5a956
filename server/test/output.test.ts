import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { childEnvironment } from './support/child-environment.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const bounds = { timeout: 60_000, killSignal: 'SIGKILL' } as const

function folder(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-output-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return directory
}

/** Runs a command whose standard output nobody reads. */
async function runUnread(args: readonly string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, [main, ...args], {
    ...bounds,
    env: { ...childEnvironment(), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  child.stdout.destroy()
  const [code] = await once(child, 'close')
  return { code, stderr }
}

test('a command that goes on stops in good order when nobody reads it any more', async (t) => {
  // It writes a line a second.
  const demo = await runUnread(['demo', '--seconds', '120', '--rate', '1'], { TMPDIR: folder(t) })
  assert.deepEqual(demo, { code: 1, stderr: 'Stopped before the end.\n' })
  const data = folder(t)
  const serve = await runUnread(['serve', '--port', '0', '--data-dir', data])
  assert.deepEqual(serve, { code: 0, stderr: '' })
})

test('a command whose output does not fit on the disk says so, and has failed', (t) => {
  if (!existsSync('/dev/full')) return t.skip('There is no /dev/full here.')
  const run = (line: string) => {
    const env = { PATH: process.env.PATH, NODE: process.execPath, MAIN: main }
    const { status, stderr } = spawnSync('sh', ['-c', line], { ...bounds, env, encoding: 'utf8' })
    return { status, stderr }
  }
  const full = run('"$NODE" "$MAIN" --help > /dev/full')
  assert.equal(full.status, 1)
  assert.match(full.stderr, /^The output cannot be written: ENOSPC/)
  assert.equal(run('"$NODE" "$MAIN" nonsense 2> /dev/full').status, 2)
})
