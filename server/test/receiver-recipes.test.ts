import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { standard } from '../src/formats/standard.ts'
import { runInProcess } from './support/run-in-process.ts'
import { until } from './support/until.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(root, 'docs/guides/receivers.md'), 'utf8')
const secrets = [standard.generateSecret(randomBytes), standard.generateSecret(randomBytes)]

/** Serves on Node what a recipe leaves to its platform: `default.fetch`, or `POST`. */
const platform = `
import { createServer } from 'node:http'
const recipe = await import('./recipe.mjs')
const handle = recipe.POST ?? ((request) => recipe.default.fetch(request, process.env))
createServer(async (incoming, outgoing) => {
  const chunks = []
  for await (const chunk of incoming) chunks.push(chunk)
  const init = { method: incoming.method, headers: incoming.headers }
  if (incoming.method === 'POST') init.body = Buffer.concat(chunks)
  const answer = await handle(new Request('http://receiver' + incoming.url, init))
  outgoing.writeHead(answer.status, Object.fromEntries(answer.headers))
  outgoing.end(Buffer.from(await answer.arrayBuffer()))
}).listen(process.env.PORT)
`

describe('the receivers of the cookbook', { concurrency: 2 }, () => {
  for (const name of ['Express', 'Fastify', 'Hono', 'Next.js', 'Workers']) {
    test(`${name} passes the drill`, async (t) => {
      const directory = createDirectory(t)
      symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
      writeFileSync(join(directory, 'recipe.mjs'), recipeOf(name, 'js'))
      writeFileSync(join(directory, 'platform.mjs'), platform)
      const listensItself = name === 'Express' || name === 'Fastify'
      const file = listensItself ? 'recipe.mjs' : 'platform.mjs'
      await drill(t, process.execPath, [join(directory, file)], directory)
    })
  }

  test('Python passes the drill', async (t) => {
    const directory = createDirectory(t)
    const target = join(directory, 'python')
    const install = ['-m', 'pip', 'install', '--quiet', '--target', target, 'standardwebhooks']
    if (!(await succeeds('python3', install))) return t.skip('Python, or its library, is not here.')
    const file = join(directory, 'recipe.py')
    writeFileSync(file, recipeOf('Python', 'python'))
    await drill(t, 'python3', [file], directory, { PYTHONPATH: target })
  })

  test('Go passes the drill', async (t) => {
    const directory = createDirectory(t)
    for (const file of ['go.mod', 'go.sum']) {
      cpSync(join(root, 'server/test/interop/standardwebhooks-go', file), join(directory, file))
    }
    if (!(await succeeds('go', ['-C', directory, 'mod', 'download']))) {
      return t.skip('Go, or its library, is not here.')
    }
    writeFileSync(join(directory, 'main.go'), recipeOf('Go', 'go'))
    const binary = join(directory, 'receiver')
    assert.ok(await succeeds('go', ['-C', directory, 'build', '-o', binary, '.']), 'it compiles')
    await drill(t, binary, [], directory)
  })
})

function recipeOf(name: string, language: string): string {
  const [, section = ''] = page.split(`\n## ${name}\n`)
  const [, code] = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(section) ?? []
  assert.ok(code, `the page has a recipe for ${name}`)
  return code
}

async function drill(
  t: TestContext,
  command: string,
  args: readonly string[],
  cwd: string,
  environment: Record<string, string> = {},
): Promise<void> {
  const port = await freePort()
  const variables = { PORT: String(port), WEBHOOK_SECRETS: secrets.join(',') }
  const child: ChildProcess = spawn(command, args, {
    cwd,
    env: { ...process.env, ...environment, ...variables },
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: 120_000,
    killSignal: 'SIGKILL',
  })
  t.after(() => child.kill('SIGKILL'))
  const url = `http://127.0.0.1:${port}/webhooks`
  await until('the receiver answers', () =>
    fetch(url, { method: 'POST', body: '' }).then(
      ({ status }) => status === 401,
      () => false,
    ),
  )
  const options = ['--json', '--secret-from', '-', '--answer-within', '15']
  const run = await runInProcess(['drill', url, ...options], { stdin: secrets.join('\n') })
  const wrong = JSON.parse(run.stdout).checks.filter(
    ({ verdict }: { verdict: string }) => verdict === 'fail',
  )
  assert.deepEqual(wrong, [])
  assert.equal(run.code, 0)
}

function createDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-recipe-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

function succeeds(command: string, args: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: 120_000 }, (error) => resolve(error === null))
  })
}
