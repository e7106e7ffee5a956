import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Countersign } from '@countersign/sdk'
import { version } from '../src/version.ts'
import { childEnvironment } from './support/child-environment.ts'
import { neverAnswers } from './support/hostile-receivers.ts'
import { startReceiver } from './support/receiver.ts'
import { type RunningCommand, runCommand, startCommand } from './support/run-command.ts'
import { until } from './support/until.ts'

function createDataDir(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-command-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

async function urlOf(server: RunningCommand): Promise<string> {
  return (await server.prints(/(?:Listening on|API reference) +(http:\/\/[^\s"/]+)/))[1] ?? ''
}

test('help names every command, the options, the exit codes and examples', async () => {
  const help = await runCommand(['--help'])
  assert.equal(help.code, 0)
  for (const word of ['serve', 'dev', 'migrate', 'demo', 'Exit codes', 'Examples']) {
    assert.match(help.stdout, new RegExp(word))
  }
  const serveHelp = await runCommand(['serve', '--help'])
  assert.equal(serveHelp.code, 0)
  assert.match(serveHelp.stdout, /--data-dir <value>/)
  assert.doesNotMatch(serveHelp.stdout, /--root-key|--master-keys/)
  assert.equal((await runCommand(['--version'])).stdout, `${version}\n`)
})

test('a command loads what it needs: those against a server start without one', async () => {
  const hook =
    "import{registerHooks}from'node:module';registerHooks({load(url,context,next){process.stderr.write(url+'\\n');return next(url,context)}})"
  const environment = {
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hook)}`,
    COUNTERSIGN_API_KEY: 'csk_1',
  }
  for (const args of [['--help'], ['endpoints', 'list', '--project', 'p'], ['sign', 'nothing']]) {
    const { stderr } = await runCommand([...args], { ...environment, COUNTERSIGN_URL: nobody })
    assert.match(stderr, /server\/src\/cli\/program\.ts$/m)
    const packages = [...stderr.matchAll(/\/node_modules\/([^/\n]+)\//g)].map(([, name]) => name)
    assert.deepEqual([...new Set(packages)].sort(), ['commander', 'ipaddr.js'], args.join(' '))
    assert.doesNotMatch(stderr, /\/server\/src\/(?:app|store-tools|api|storage|dispatcher)\b/)
  }
})

/** Where nothing answers: port 1 is never given out. */
const nobody = 'http://127.0.0.1:1'

test('serve logs JSON lines without any key, and stops in good order', async (t) => {
  const dataDir = createDataDir(t)
  await using server = startCommand(['serve', '--port', '0', '--data-dir', dataDir], {
    COUNTERSIGN_PROT: '1',
  })
  const url = await urlOf(server)
  assert.equal((await fetch(`${url}/readyz`)).status, 200)
  server.signal('SIGTERM')
  assert.equal(await server.exited, 0)
  assert.equal(server.stderr(), '')

  const lines = server.stdout().trimEnd().split('\n')
  const messages = lines.map((line) => JSON.parse(line).msg)
  assert.ok(messages.some((message) => /Did you mean COUNTERSIGN_PORT\?/.test(message)))
  for (const file of ['root-key', 'master-key']) {
    assert.equal(statSync(join(dataDir, file)).mode & 0o777, 0o600)
    const key = readFileSync(join(dataDir, file), 'utf8').trim()
    assert.ok(!server.stdout().includes(key), `the log does not hold the ${file}`)
  }
})

test('the configuration reaches the log with its secrets masked', async (t) => {
  const rootKey = `csk_${'k'.repeat(43)}`
  await using server = startCommand(['serve', '--port', '0', '--data-dir', createDataDir(t)], {
    COUNTERSIGN_ROOT_KEY: rootKey,
    COUNTERSIGN_CONCURRENCY: '17',
  })
  await urlOf(server)
  const line = server
    .stdout()
    .split('\n')
    .find((text) => text.includes('Listening on'))
  const { options } = JSON.parse(line ?? '')
  assert.equal(options.COUNTERSIGN_CONCURRENCY, '17')
  assert.equal(options.COUNTERSIGN_ROOT_KEY, '***')
  assert.ok(!server.stdout().includes(rootKey))
})

test('a stop gives back what a silent receiver holds, within the deadline', async (t) => {
  const dataDir = createDataDir(t)
  await using receiver = await neverAnswers()
  await using server = startCommand(['dev', '--port', '0', '--data-dir', dataDir], {
    COUNTERSIGN_SHUTDOWN_DEADLINE: '300ms',
  })
  await holdUp(server, dataDir, receiver)
  server.signal('SIGTERM')
  assert.equal(await server.exited, 0)
})

test('a second signal ends a stop that would take long', async (t) => {
  const dataDir = createDataDir(t)
  await using receiver = await neverAnswers()
  await using server = startCommand(['dev', '--port', '0', '--data-dir', dataDir], {
    COUNTERSIGN_SHUTDOWN_DEADLINE: '10m',
    COUNTERSIGN_ATTEMPT_TIMEOUT: '10m',
  })
  await holdUp(server, dataDir, receiver)
  server.signal('SIGTERM')
  await server.prints(/Stopping/)
  server.signal('SIGINT')
  assert.equal(await server.exited, 1)
})

test('a stop answers what it is being asked, and then does not wait for that connection', async (t) => {
  const dataDir = createDataDir(t)
  await using server = startCommand(['dev', '--port', '0', '--data-dir', dataDir])
  const { hostname, port } = new URL(await urlOf(server))
  await server.prints(/Ctrl-C stops the server/)
  const key = readFileSync(join(dataDir, 'root-key'), 'utf8').trim()
  const body = JSON.stringify({ type: 'order.paid', data: {} })
  const socket = connect({ host: hostname, port: Number(port) })
  t.after(() => socket.destroy())
  let answer = ''
  socket.setEncoding('utf8').on('data', (text) => {
    answer += text
  })
  // Half a request is under way when the signal comes; the client then keeps the connection.
  socket.write(
    [
      'POST /v1/projects/demo/events HTTP/1.1',
      `Host: ${hostname}`,
      `Authorization: Bearer ${key}`,
      'Content-Type: application/json',
      `Content-Length: ${body.length}`,
      'Expect: 100-continue',
      '',
      body.slice(0, 5),
    ].join('\r\n'),
  )
  // Until then the server may take the connection for an idle one, and close it.
  await until('the server reads the request', () => answer.includes('HTTP/1.1 100'))
  server.signal('SIGTERM')
  await server.prints(/Stopping/)
  socket.write(body.slice(5))
  await until('the request is answered', () => answer.includes('HTTP/1.1 202'))
  assert.equal(await Promise.race([server.exited, delay(10_000, 'still running')]), 0)
})

test('a Ctrl-C that npm passes on a second time is still one', async (t) => {
  await using server = startCommand(['serve', '--port', '0', '--data-dir', createDataDir(t)], {
    npm_lifecycle_event: 'start',
  })
  await urlOf(server)
  server.signal('SIGINT')
  server.signal('SIGINT')
  assert.equal(await server.exited, 0, server.stderr())
})

test('what dev prints works when pasted, on every start', async (t) => {
  const dataDir = createDataDir(t)
  const receiver = await startReceiver()
  t.after(() => receiver.close())
  for (const start of [1, 2]) {
    await using server = startCommand(['dev', '--port', '0', '--data-dir', dataDir])
    await server.prints(/Ctrl-C stops the server/)
    const text = server.stdout()
    const key = readFileSync(join(dataDir, 'root-key'), 'utf8').trim()
    assert.ok(!text.includes(key), 'the key is not printed where no terminal is')

    const [publish, createEndpoint, listDeliveries, rotate] = curlsOf(text)
    const endpoint = createEndpoint?.replace('http://127.0.0.1:3000/', receiver.url)
    assert.equal((await paste(publish)).delivery_count, start - 1)
    if (start === 1) assert.match(String((await paste(endpoint)).secret), /^whsec_/)
    assert.equal((await paste(publish)).delivery_count, 1)
    if (start === 1) assert.match(String((await paste(rotate)).secret), /^whsec_/)
    await until(
      'what was published has arrived',
      () => receiver.deliveredIds.size === start * 2 - 1,
    )
    const { data } = await paste(listDeliveries)
    assert.equal((data as unknown[]).length, start * 2 - 1)
    server.signal('SIGTERM')
    assert.equal(await server.exited, 0, server.stderr())
  }
})

test('what dev prints works with a configured key as well', async (t) => {
  const rootKey = `csk_${'k'.repeat(43)}`
  await using server = startCommand(['dev', '--port', '0', '--data-dir', createDataDir(t)], {
    COUNTERSIGN_ROOT_KEY: rootKey,
  })
  await server.prints(/Ctrl-C stops the server/)
  assert.ok(!server.stdout().includes(rootKey))
  const [publish] = curlsOf(server.stdout())
  const { delivery_count } = await paste(publish, { COUNTERSIGN_ROOT_KEY: rootKey })
  assert.equal(delivery_count, 0)
})

test('migrate says what it did, and has nothing to do the second time', async (t) => {
  const dataDir = join(createDataDir(t), 'new')
  const first = await runCommand(['migrate', '--data-dir', dataDir])
  assert.equal(first.code, 0, first.stderr)
  assert.match(first.stdout, /^applied \S+\n(?:applied \S+\n)*The store in .* version \d+\.\n$/)
  const second = await runCommand(['migrate', '--data-dir', dataDir])
  assert.equal(second.code, 0)
  assert.match(second.stdout, /^Nothing to do: the store in .* version \d+\.\n$/)
})

test('the demo rejects and loses nothing, says so, and leaves nothing behind', async (t) => {
  const temporary = createDataDir(t)
  const { code, stdout, stderr } = await runCommand(['demo', '--seconds', '6', '--rate', '50'], {
    TMPDIR: temporary,
  })
  assert.equal(code, 0, `${stdout}${stderr}`)
  assert.equal(stderr, '')
  const last = stdout.trimEnd().split('\n').at(-1) ?? ''
  const [, delivered] = /^(\d+) delivered, 0 rejected, 0 lost$/.exec(last) ?? []
  assert.ok(Number(delivered) > 100, last)
  assert.ok(!stdout.includes('\x1b'), 'no escape sequence where no terminal is')
  assert.match(stdout, /signed by old, /)
  assert.match(stdout, /signed by old \+ new, /)
  assert.match(stdout, /signed by new, /)
  assert.deepEqual(readdirSync(temporary), [])
})

test('a demo that is stopped in the middle leaves nothing behind', async (t) => {
  const temporary = createDataDir(t)
  await using demo = startCommand(['demo'], { TMPDIR: temporary })
  await demo.prints(/delivered \(/)
  demo.signal('SIGINT')
  assert.equal(await demo.exited, 1)
  assert.match(demo.stderr(), /^Stopped before the end\.\n$/)
  assert.deepEqual(readdirSync(temporary), [])
})

/** Publishes an event to the receiver and waits until its connection is there. */
async function holdUp(
  server: RunningCommand,
  dataDir: string,
  receiver: { url: string; requests: readonly unknown[] },
): Promise<void> {
  const client = new Countersign({
    baseUrl: await urlOf(server),
    apiKey: readFileSync(join(dataDir, 'root-key'), 'utf8').trim(),
  })
  await client.endpoints.create('demo', { url: receiver.url })
  await client.events.publish('demo', { type: 'order.paid', data: {} })
  await until('the receiver holds the attempt', () => receiver.requests.length > 0)
}

/** The commands as somebody would copy them, continuation lines included. */
function curlsOf(text: string): string[] {
  return (text.match(/^ {2}curl (?:.*\\\n)*.*$/gm) ?? []).map((command) => command.trim())
}

/** Runs a curl command as a shell would, by way of fetch: not every machine has curl. */
async function paste(
  command = '',
  environment: Record<string, string> = {},
): Promise<Record<string, unknown>> {
  const output = execFileSync('sh', ['-c', command.replace(/^curl /, "printf '%s\\n' ")], {
    env: { ...childEnvironment(), ...environment },
    encoding: 'utf8',
  })
  const [url = '', ...args] = output.trimEnd().split('\n')
  const headers: Record<string, string> = {}
  let body: string | undefined
  for (const [index, arg] of args.entries()) {
    const value = args[index + 1] ?? ''
    const [name = '', content = ''] = value.split(/: (.*)/)
    if (arg === '-H') headers[name] = content
    if (arg === '-d') body = value
  }
  const response = await fetch(url, body ? { method: 'POST', headers, body } : { headers })
  assert.ok(response.ok, `${command}\n${response.status} ${await response.clone().text()}`)
  return (await response.json()) as Record<string, unknown>
}
