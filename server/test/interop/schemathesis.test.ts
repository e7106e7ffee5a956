import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { lstatSync } from 'node:fs'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { startTestApp, type TestApp } from '../support/start-test-app.ts'

/*
 * A fuzzer that others wrote reads our OpenAPI document and holds the server against it: no 5xx, documented statuses,
 * bodies as the schemas say, 405 with `Allow`, nothing without a key, what breaks a schema refused.
 */

const version = '4.32.5'
const document = new URL('../../../docs/openapi.json', import.meta.url).pathname

const isLong = process.env.COUNTERSIGN_TEST_LONG !== undefined
const examplesMax = isLong ? 300 : 5
/** Far more than it takes, for a machine that is busy. */
const runMsMax = isLong ? 3_600_000 : 180_000
/** Long enough to fetch it and what it needs. */
const installMsMax = 180_000

describe('Schemathesis', () => {
  const seed = process.env.SEED ?? String(Math.floor(Math.random() * 1e9))
  let server: TestApp
  let receiver: Receiver
  let python: string | null
  before(async () => {
    python = await installedPython()
    server = await startTestApp({ environment: { COUNTERSIGN_LOG_LEVEL: 'error' } })
    receiver = await startReceiver()
  })
  after(async () => {
    await server.dispose()
    await receiver.close()
  })

  test('finds nothing with the root key, in a project that has one of everything', async (t) => {
    if (python === null) return t.skip(missing)
    const things = await addThings(server, receiver)
    await fuzz(python, { key: server.rootKey, things, phases: 'coverage,fuzzing' })
  })

  test('finds nothing with the key of a project', async (t) => {
    if (python === null) return t.skip(missing)
    const things = await addThings(server, receiver)
    const { key } = await server.client.apiKeys.create(things['path.project'], { name: 'fuzzer' })
    await fuzz(python, { key, things, phases: 'coverage' })
  })

  test('finds nothing in chains of calls, each with what an earlier one answered', async (t) => {
    if (python === null) return t.skip(missing)
    await fuzz(python, { key: server.rootKey, things: null, phases: 'stateful' })
  })

  async function fuzz(
    path: string,
    { key, things, phases }: { key: string; things: Things | null; phases: string },
  ): Promise<void> {
    const place = await mkdtemp(join(tmpdir(), 'countersign-schemathesis-'))
    try {
      const config = join(place, 'schemathesis.toml')
      await writeFile(config, configuration(server.app.url, key, things))
      const cli = ['-m', 'schemathesis.cli', '--config-file', config]
      const parameters = [...cli, 'run', document, '--phases', phases]
      const bounds = ['--max-examples', String(examplesMax), '--no-shrink', '--seed', seed]
      // It would take a machine that is busy for a fault of ours.
      bounds.push('--suppress-health-check', 'all')
      const { status, output } = await run(path, [...parameters, ...bounds], {
        directory: place,
        timeoutMs: runMsMax,
      })
      assert.match(output, /Selected: +\d+\/\d+/, 'it did not run to its end')
      assert.equal(status, 0, `seed ${seed}\n${output}`)
    } finally {
      await rm(place, { recursive: true, force: true })
    }
  }
})

/** Values for the parameters of paths, so that most calls get past 404. */
type Things = Awaited<ReturnType<typeof addThings>>

async function addThings({ client }: TestApp, { url }: Receiver) {
  const project = await client.projects.create({ name: 'Fuzzed' })
  const apiKey = await client.apiKeys.create(project.id, { name: 'A key' })
  const scopes = ['webhooks.read'] as const
  const session = await client.portalSessions.create(project.id, { scopes, actor: 'jo' })
  const name = 'order.paid'
  await client.eventTypes.define(project.id, name)
  const endpoint = await client.endpoints.create(project.id, { url })
  const event = await client.events.publish(project.id, { type: name, data: {} })
  const { data } = await client.deliveries.list(project.id).page()
  const { rotation } = await client.endpoints.rotateSecret(project.id, endpoint.id)
  assert.ok(data[0])
  return {
    'path.project': project.id,
    'path.key': apiKey.id,
    'path.session': session.id,
    'path.name': name,
    'path.endpoint': endpoint.id,
    'path.event': event.id,
    'path.delivery': data[0].id,
    'path.rotation': rotation.id,
  }
}

function configuration(url: string, key: string, things: Things | null): string {
  const values = Object.entries(things ?? {}).map(([name, value]) => `"${name}" = "${value}"`)
  return `
base-url = "${url}"
headers = { Authorization = "Bearer ${key}" }

# 422 is also the answer to what a schema cannot say, such as a time that must lie ahead.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 422, 429]

# Each event of a batch is judged by itself: the call is accepted, the event is not.
[[operations]]
include-operation-id = "publishBatch"
checks.negative_data_rejection.enabled = false

# It answers for as long as it is listened to.
[[operations]]
include-operation-id = "readStream"
enabled = false

# What takes the things away gets names that do not exist.
[[operations]]
include-path-regex = "/v1/"
exclude-operation-id = ["deleteProject", "deleteEndpoint", "revokeApiKey"]
parameters = { ${values.join(', ')} }
`
}

const missing = 'Python 3 with venv, or schemathesis from its package index, cannot be had here.'

/**
 * The Python of a virtual environment with the fuzzer, kept in the temporary folder for the next run; null where it
 * cannot be had.
 */
async function installedPython(): Promise<string | null> {
  const home = join(tmpdir(), `countersign-schemathesis-${version}-of-${process.getuid?.() ?? 0}`)
  const python = join('bin', 'python')
  if (isOurs(home)) return join(home, python)
  // Made under another name first, so that an environment that is there is a whole one.
  const unfinished = await mkdtemp(`${home}-`)
  const options = { directory: unfinished, timeoutMs: installMsMax }
  const install = ['-m', 'pip', 'install', '--quiet', `schemathesis==${version}`]
  const isInstalled =
    (await run('python3', ['-m', 'venv', unfinished], options)).status === 0 &&
    (await run(join(unfinished, python), install, options)).status === 0
  try {
    if (isInstalled) await rename(unfinished, home)
  } catch {
    // Another run was faster: its environment is as good.
  }
  await rm(unfinished, { recursive: true, force: true })
  return isOurs(home) ? join(home, python) : null
}

/** Whether it is there, and nobody else put it there for us to run. */
function isOurs(folder: string): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false })
  return found?.isDirectory() === true && found.uid === (process.getuid?.() ?? found.uid)
}

/** Status null: it is not here, or took too long. */
async function run(
  command: string,
  parameters: string[],
  { directory, timeoutMs }: { directory: string; timeoutMs: number },
): Promise<{ status: number | null; output: string }> {
  const child = spawn(command, parameters, {
    cwd: directory,
    env: { ...process.env, NO_COLOR: '1', COLUMNS: '200' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
  })
  try {
    const [stdout, stderr, [status]] = await Promise.all([
      child.stdout.setEncoding('utf8').toArray(),
      child.stderr.setEncoding('utf8').toArray(),
      once(child, 'close') as Promise<[number | null]>,
    ])
    return { status, output: [...stdout, ...stderr].join('') }
  } catch {
    return { status: null, output: '' }
  }
}
