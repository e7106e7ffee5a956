import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startServerProcess } from './support/start-server-process.ts'
import { until } from './support/until.ts'

// Each would cost megabytes and a part of the start, and comes back with one careless import.
const unneeded = {
  'what TypeBox computes types with': /\/node_modules\/typebox\//,
  'an HTTP client': /\/node_modules\/undici\//,
  'compilers that fastify would use': /fastify\/(?:ajv-compiler|fast-json-stringify-compiler)\//,
  'the viewer of the reference': /fastify\/swagger/,
  'the SDK and the commands that use it': /\/sdk\/|\/cli\/(?:client|offline)\/|\/cli\/demo/,
  "Node's own HTTP client": /^node:internal\/deps\/undici\/undici$/,
}

test('a server loads nothing that it can do without', async (t) => {
  const told = `
    import { registerHooks } from 'node:module'
    const say = (name) => process.stderr.write('loaded ' + name + '\\n')
    registerHooks({ load(url, context, next) { say(url); return next(url, context) } })
    const sayBuiltIn = () => {
      for (const name of process.moduleLoadList) say(name.replace('NativeModule ', 'node:'))
      say('everything')
    }
    process.on('SIGUSR2', sayBuiltIn)`
  const preload = `data:text/javascript,${encodeURIComponent(told)}`
  const server = await startServerProcess({ NODE_OPTIONS: `--import=${preload}` })
  t.after(server.dispose)
  process.kill(server.pid() ?? 0, 'SIGUSR2')
  await until('it has told what it loaded', () => server.output().includes('loaded everything'))
  const names = [...server.output().matchAll(/^loaded (.+)$/gm)].map(([, name]) => name ?? '')
  assert.ok(names.some((name) => name.endsWith('/sender-thread.ts')))
  assert.ok(names.some((name) => name.endsWith('/http-connection.ts')))
  for (const [what, pattern] of Object.entries(unneeded)) {
    assert.deepEqual(
      names.filter((name) => pattern.test(name)),
      [],
      what,
    )
  }
})
