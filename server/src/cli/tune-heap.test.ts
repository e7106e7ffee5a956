import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { startServerProcess } from '../../test/support/start-server-process.ts'
import { heapFlags } from './tune-heap.ts'

// At run time V8 says no more than a line of what it does not know.
test('V8 knows the flags that it is given', () => {
  const { status, stderr } = spawnSync(process.execPath, [...heapFlags, '--eval', '0'])
  assert.deepEqual([status, String(stderr)], [0, ''])
  const unknown = spawnSync(process.execPath, ['--no-such-flag-of-v8', '--eval', '0'])
  assert.notEqual(unknown.status, 0)
})

test('a server gives V8 its flags before it begins a thread', async (t) => {
  const told = `
    const v8 = require('node:v8')
    const threads = require('node:worker_threads')
    const { setFlagsFromString } = v8
    v8.setFlagsFromString = (flag) => {
      process.stderr.write('flag ' + flag + '\\n')
      setFlagsFromString(flag)
    }
    threads.Worker = class extends threads.Worker {
      constructor(...args) {
        process.stderr.write('thread\\n')
        super(...args)
      }
    }
    require('node:module').syncBuiltinESMExports()`
  const preload = `data:text/javascript,${encodeURIComponent(
    `import { createRequire } from 'node:module'
    const require = createRequire('file:///')
    ${told}`,
  )}`
  const server = await startServerProcess({ NODE_OPTIONS: `--import=${preload}` })
  t.after(server.dispose)
  const lines = server.output().split('\n')
  const ofProcess = lines.filter((line) => line.startsWith('flag ') || line === 'thread')
  const flags = heapFlags.map((flag) => `flag ${flag}`)
  assert.deepEqual(ofProcess.slice(0, flags.length + 1), [...flags, 'thread'])
})
