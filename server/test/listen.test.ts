import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { rawJson } from '@countersign/sdk'
import { type Receiver, startReceiver } from './support/receiver.ts'
import { type RunningCommand, startCommand } from './support/run-command.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'

interface Setup {
  app: TestApp
  receiver: Receiver
  project: string
  environment: Record<string, string>
  listen(more?: readonly string[]): RunningCommand
  publish(): Promise<string>
}

async function setUp(t: TestContext): Promise<Setup> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-listen-'))
  t.after(() => rmSync(directory, { recursive: true }))
  // The same after a restart, as that of a real server is.
  const app = await startTestApp({ environment: { COUNTERSIGN_PORT: String(await freePort()) } })
  t.after(() => app.dispose())
  const receiver = await startReceiver()
  t.after(() => receiver.close())
  const { id: project } = await app.client.projects.create({ name: 'A project' })
  const environment = {
    COUNTERSIGN_URL: app.app.url,
    COUNTERSIGN_API_KEY: app.rootKey,
    COUNTERSIGN_PROJECT: project,
    XDG_CONFIG_HOME: directory,
  }
  return {
    ...{ app, receiver, project, environment },
    listen: (more = []) =>
      startCommand(['listen', '--forward-to', receiver.url, '--json', ...more], environment),
    publish: async () =>
      (
        await app.client.events.publish(project, {
          type: 'order.paid',
          data: rawJson('{"a": 1.0}'),
        })
      ).id,
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

async function isListening(command: RunningCommand): Promise<void> {
  await until('it listens', () => command.stderr().includes('Listening'))
}

const idsOf = ({ received }: Receiver) => received.map(({ id }) => id)

test('forwards each event once, in order, over restarts of the server', {
  timeout: 60_000,
}, async (t) => {
  const { app, receiver, listen, publish } = await setUp(t)
  await using command = listen(['--show-secret'])
  await isListening(command)
  const secretSaid = /signed with (whsec_\S+)\s/
  await until('it has said its secret', () => secretSaid.test(command.stderr()))
  const [, secret = ''] = secretSaid.exec(command.stderr()) ?? []
  receiver.secrets = [secret]

  const ids = [await publish(), await publish()]
  await until('both have come', () => receiver.received.length === 2)
  for (let restarts = 0; restarts < 2; restarts += 1) {
    await app.restart()
    // The first of these may be published before the stream is open again.
    ids.push(await publish(), await publish())
    await until('those have come as well', () => receiver.deliveredIds.size === ids.length)
  }
  assert.deepEqual(idsOf(receiver), ids, 'each once, in order')
  assert.equal(receiver.rejectedCount, 0)
  assert.match(receiver.received[0]?.body ?? '', /"data":\{"a": 1\.0\}/)
  command.signal('SIGINT')
  assert.equal(await command.exited, 0)
  assert.equal(command.stdout().trim().split('\n').length, ids.length)
})

test('waits for a receiver that does not answer yet', { timeout: 60_000 }, async (t) => {
  const { receiver, environment, publish } = await setUp(t)
  const port = await freePort()
  const args = ['listen', '--forward-to', `http://127.0.0.1:${port}/hooks`]
  await using command = startCommand(args, environment)
  await isListening(command)
  const id = await publish()
  await until('it was tried', () => command.stderr().includes('does not answer'))
  let seen = ''
  const late = createServer((request, response) => {
    seen = String(request.headers['webhook-id'])
    response.end()
  }).listen(port, '127.0.0.1')
  t.after(() => {
    late.closeAllConnections()
    late.close()
  })
  await until('it has come', () => seen === id)
  assert.equal(receiver.received.length, 0)
})

test('keeps its secret for the user alone, and prints it only when asked', {
  timeout: 60_000,
}, async (t) => {
  const { environment, listen } = await setUp(t)
  const secretOf = async (more: readonly string[]) => {
    await using command = listen(more)
    await isListening(command)
    await until('it has said all', () => /secret|signed/.test(command.stderr()))
    return /whsec_\S+/.exec(command.stderr() + command.stdout())?.[0]
  }
  assert.equal(await secretOf([]), undefined)
  const shown = await secretOf(['--show-secret'])
  assert.match(shown ?? '', /^whsec_/)
  assert.equal(await secretOf(['--show-secret']), shown, 'the same after a restart')
  const file = join(environment.XDG_CONFIG_HOME ?? '', 'countersign', 'config.json')
  assert.equal(statSync(file).mode & 0o777, 0o600)
})
