import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WebhookFormatName } from '@countersign/sdk'
import { childEnvironment } from './child-environment.ts'
import { startReceiver } from './receiver.ts'
import { startTestApp, type TestApp } from './start-test-app.ts'
import { until } from './until.ts'

/** Why the commands of a page cannot be run here; false where they can. */
export const commandsCannotRun: string | false =
  spawnSync('curl', ['--version']).status === 0 ? false : 'curl is not installed here'

const processLifeMsMax = 60_000

/**
 * Runs every command of a page of `docs/`, pasted one after the other as a newcomer would, against a
 * server with the project `demo` and a receiver at the address that the page names. Fails with the
 * first that is refused; answers the calls that were made, as `METHOD URL STATUS`.
 */
export async function runCommandsOfPage(
  page: string,
): Promise<{ calls: string[]; receivedCount: number }> {
  await using place = await createPlace()
  const receiver = await startReceiver()
  const commands = blocksOf(page, 'sh')
    .join('\n')
    .replaceAll('http://127.0.0.1:8080', place.server.app.url)
    .replaceAll('http://127.0.0.1:3000/', receiver.url)
  // Tells each call on the error stream.
  const tell = '%{stderr}%{method} %{url_effective} %{http_code}\\n'
  const script = `set -euo pipefail\ncurl() { command curl -sS --fail-with-body -w '${tell}' "$@"; }\n${commands}`
  const { status, stdout, stderr } = await run('bash', ['-c', script], place.directory)
  await receiver.close()
  assert.equal(status, 0, `${stdout}\n${stderr}`)
  const calls = stderr.split('\n').filter((line) => line.includes(`${place.server.app.url}/`))
  return { calls, receivedCount: receiver.received.length }
}

/**
 * Runs the receiver of a page (its first `js` block), once with `[other, secret]` and once with the
 * other alone: it must answer 204 and then 401 to a delivery in this format.
 */
export async function runReceiverOfPage(
  page: string,
  format: WebhookFormatName,
  otherSecret: string,
): Promise<void> {
  await using place = await createPlace()
  const [source = ''] = blocksOf(page, 'js')
  const port = await freePort()
  const file = join(place.directory, 'receiver.mjs')
  const sdk = import.meta.resolve('@countersign/sdk')
  await writeFile(file, source.replace('@countersign/sdk', sdk).replace('(3000', `(${port}`))
  const { client } = place.server
  const url = `http://127.0.0.1:${port}/`
  const made = await client.endpoints.create('demo', { url, format })
  for (const [secrets, statusCode] of [
    [`${otherSecret},${made.secret}`, 204],
    [otherSecret, 401],
  ] as const) {
    await using _ = await startScript(file, { WEBHOOK_SECRETS: secrets }, url)
    const result = await client.endpoints.test('demo', made.id)
    assert.equal(result.statusCode, statusCode)
  }
}

/** The text of a page below `docs/`. */
export function readPage(name: string): Promise<string> {
  return readFile(new URL(`../../../docs/${name}`, import.meta.url), 'utf8')
}

/** A directory as the checkout is after `npm start`: `data` beside, and a project `demo`. */
async function createPlace(): Promise<{ server: TestApp; directory: string } & AsyncDisposable> {
  const server = await startTestApp()
  const directory = await mkdtemp(join(tmpdir(), 'countersign-page-'))
  await symlink(server.dataDir, join(directory, 'data'))
  // On PostgreSQL the keys come from the environment; the page reads the file that a start makes.
  await writeFile(join(directory, 'data', 'root-key'), server.rootKey)
  await server.client.projects.create({ uid: 'demo', name: 'Demo' })
  return {
    server,
    directory,
    async [Symbol.asyncDispose]() {
      await server.dispose()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

function blocksOf(page: string, language: string): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm')
  return [...page.matchAll(pattern)].map(([, block = '']) => block)
}

async function run(command: string, parameters: string[], directory: string) {
  const child = spawn(command, parameters, {
    cwd: directory,
    env: childEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: processLifeMsMax,
  })
  const [stdout, stderr, [status]] = await Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
    once(child, 'close') as Promise<[number | null]>,
  ])
  return { status, stdout: stdout.join(''), stderr: stderr.join('') }
}

/** Runs until it is let go; resolves once `url` answers. */
async function startScript(
  file: string,
  environment: Record<string, string>,
  url: string,
): Promise<AsyncDisposable> {
  const child = spawn(process.execPath, [file], {
    env: { ...childEnvironment(), ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: processLifeMsMax,
  })
  await until('the receiver answers', () =>
    fetch(url, { method: 'POST' }).then(
      () => true,
      () => false,
    ),
  )
  return {
    async [Symbol.asyncDispose]() {
      child.kill()
      if (child.exitCode === null && child.signalCode === null) await once(child, 'close')
    },
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  assert.ok(address !== null && typeof address === 'object')
  return address.port
}
