import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { startServerProcess } from '../../test/support/start-server-process.ts'
import { semiSpaceFlag, startOver } from './start-over.ts'

type Owner = Parameters<typeof startOver>[0]

/** What the process begins with once more; null where it goes on. */
function begunWith(own: Partial<Owner>): readonly string[] | null {
  let begun: readonly string[] | null = null
  startOver({
    argv: ['/bin/node', '/app/main.js', 'serve'],
    env: {},
    execArgv: [],
    execPath: '/bin/node',
    platform: 'linux',
    send: undefined,
    execve(_file: string, args: readonly string[]) {
      begun = args
      return undefined as never
    },
    ...own,
  } as Owner)
  return begun
}

test('a server begins once more with the flag, and with all that it was given', () => {
  const argv = ['/bin/node', '/app/main.js', 'serve', '--port', '1']
  const execArgv = ['--inspect', '--import=./a.js']
  assert.deepEqual(begunWith({ argv, execArgv }), [
    '/bin/node',
    semiSpaceFlag,
    '--inspect',
    '--import=./a.js',
    '/app/main.js',
    'serve',
    '--port',
    '1',
  ])
})

test('it does not where it has begun so, where someone said otherwise, or where it cannot', () => {
  const others: [what: string, own: Partial<Owner>][] = [
    ['begun so', { execArgv: [semiSpaceFlag] }],
    ['said otherwise', { env: { NODE_OPTIONS: '--max_semi_space_size=64' } }],
    ['another command', { argv: ['/bin/node', '/app/main.js', 'backup'] }],
    ['no command', { argv: ['/bin/node', '/app/main.js'] }],
    ['a parent with a channel', { send: () => true }],
    ['Windows', { platform: 'win32' }],
  ]
  for (const [what, own] of others) assert.equal(begunWith(own), null, what)
  const execve = () => {
    throw new Error('not permitted')
  }
  assert.equal(begunWith({ execve }), null)
})

test('V8 knows the flag', () => {
  const { status, stderr } = spawnSync(process.execPath, [semiSpaceFlag, '--eval', '0'])
  assert.deepEqual([status, String(stderr)], [0, ''])
})

test('a server that was started runs with it, under the id that it was started with', async (t) => {
  if (!existsSync('/proc/self/cmdline')) return t.skip('Only Linux tells how a process was begun.')
  const server = await startServerProcess({})
  t.after(server.dispose)
  const words = (await readFile(`/proc/${server.pid()}/cmdline`, 'utf8')).split('\0')
  assert.equal(words.filter((word) => word === semiSpaceFlag).length, 1)
  assert.equal((await fetch(`${server.url}/readyz`)).status, 200)
  assert.doesNotMatch(server.output(), /Warning/)
})
