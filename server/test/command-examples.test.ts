import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { allCommands } from '../src/cli/all-commands.ts'
import type { CommandContext } from '../src/cli/command-context.ts'
import { createProgram, descendantsOf } from '../src/cli/program.ts'
import { createClock } from '../src/clock.ts'
import { createExampleWorld, type ExampleWorld } from './support/example-world.ts'
import {
  findPostgres,
  noPostgres,
  type PostgresServer,
  startPostgres,
} from './support/postgres-server.ts'
import { startCommand } from './support/run-command.ts'
import { type CommandRun, runInProcess } from './support/run-in-process.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'

let app: TestApp
let world: ExampleWorld
/** For the one command that moves a store there. */
let postgres: PostgresServer | null = null
before(async () => {
  if (findPostgres() !== null) postgres = await startPostgres()
  app = await startTestApp({ environment: { COUNTERSIGN_PUBLIC_URL: 'https://hooks.example' } })
  world = await createExampleWorld(app)
})
after(async () => {
  await world.dispose()
  await app.dispose()
  await postgres?.dispose()
})

/** Commands that go on until they are told to stop, with what they say when they have begun. */
const lasting: Readonly<Record<string, RegExp>> = {
  serve: /Listening on/,
  dev: /Ctrl-C stops the server/,
  demo: /Publishing/,
  bench: /round 1 of/,
  listen: /Listening/,
}
/** Work on a store, which has to be there. */
const storeCommands = ['doctor', 'backup', 'restore', 'keys rotate-master', 'migrate-store']
const program = createProgram({ clock: createClock() } as CommandContext, allCommands)
const leaves = descendantsOf(program).filter(({ commands }) => commands.length === 0)

describe('the help', () => {
  for (const command of leaves) {
    const path = pathOf(command)
    const skip = path === 'migrate-store' && findPostgres() === null && noPostgres
    test(`of ${path} says what everything is, and its examples run`, { skip }, async () => {
      const help = await runInProcess([...path.split(' '), '--help'])
      assert.equal(help.code, 0)
      assert.ok(command.description().length > 10, 'it has a description')
      for (const argument of command.registeredArguments) assert.ok(argument.description)
      for (const { long, description } of command.options) assert.ok(description, long ?? '')
      await runExamplesOf(help.stdout)
    })
  }

  test('of the program says what each command is, and its examples run', async () => {
    const help = await runInProcess(['--help'])
    assert.equal(help.code, 0)
    for (const command of descendantsOf(program)) {
      const path = pathOf(command).split(' ')
      const above = await runInProcess([...path.slice(0, -1), '--help'])
      assert.match(above.stdout, new RegExp(`^ +${path.at(-1)}\\b.* [a-z]`, 'm'), path.join(' '))
      assert.ok(command.description().length > 10, path.join(' '))
    }
    await runExamplesOf(help.stdout)
  })

  test('a command that does not exist is a mistake of the command line', async () => {
    for (const args of [['nonsense'], ['endpoints', 'nonsense'], ['endpoints', 'list', '--no']]) {
      assert.equal((await runInProcess(args)).code, 2)
    }
  })
})

/** Each as it stands in the help; those of a command that goes on are stopped once it has begun. */
async function runExamplesOf(help: string): Promise<void> {
  const examples = [...help.matchAll(/^ {2}\$ (.*?)(?: {2,}.*)?$/gm)]
  assert.ok(examples.length > 0, 'it has examples')
  for (const [, example = ''] of examples) {
    const { line, directory } = await world.prepare(example)
    const path =
      leaves.map(pathOf).find((name) => `${line} `.includes(`countersign ${name} `)) ?? ''
    assert.notEqual(path, '', line)
    if (path in lasting) await startAndStop(line, lasting[path] as RegExp, directory)
    else await runExample(path, line, directory)
  }
}

async function runExample(path: string, line: string, directory: string): Promise<void> {
  if (storeCommands.includes(path)) await prepareStore(path, directory)
  const { code, stdout, stderr } = await runLine(await withDatabase(line), directory)
  assert.equal(code, 0, `${line}\n${stdout}${stderr}`)
  assert.notEqual(stdout + stderr, '', line)
  if (line.includes('--json')) assert.doesNotThrow(() => JSON.parse(stdout), line)
}

async function withDatabase(line: string): Promise<string> {
  if (postgres === null || !line.includes('postgres://')) return line
  const { url } = await postgres.createEmptyDatabase()
  return line.replace(/postgres:\S+/, url)
}

/** In this process where the line is plain, else as a shell reads it. */
async function runLine(line: string, directory: string): Promise<CommandRun> {
  const environment = { ...world.environment, XDG_CONFIG_HOME: join(directory, 'config') }
  const words = line.startsWith('countersign ') ? plainWords(line) : null
  if (words !== null) {
    const previous = process.cwd()
    process.chdir(directory)
    try {
      return await runInProcess(words.slice(1), { environment, isTerminal: true })
    } finally {
      process.chdir(previous)
    }
  }
  const bin = join(directory, 'bin')
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  mkdirSync(bin)
  const script = `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`
  writeFileSync(join(bin, 'countersign'), script, { mode: 0o755 })
  const env = { ...environment, KEY: app.rootKey, PATH: `${bin}:${process.env.PATH}` }
  return new Promise((resolve) => {
    execFile(
      'sh',
      ['-c', line],
      { cwd: directory, env, timeout: 60_000 },
      (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr }),
    )
  })
}

async function startAndStop(line: string, begun: RegExp, directory: string): Promise<void> {
  const [, variable = '', value = '', command = ''] = /^(?:(\w+)=(\S+) )?(.*)$/.exec(line) ?? []
  const words = plainWords(command)?.slice(1) ?? []
  const isServer = words[0] === 'serve' || words[0] === 'dev'
  // A port of the machine may be taken.
  const args = words.map((word) => (word === '9000' ? '0' : word))
  if (isServer && !args.includes('--data-dir')) args.push('--data-dir', directory)
  if (isServer && !args.includes('--port')) args.push('--port', '0')
  const environment = {
    ...(isServer ? {} : { ...world.environment, XDG_CONFIG_HOME: directory }),
    ...(variable === '' ? {} : { [variable]: value }),
    COUNTERSIGN_SHUTDOWN_DEADLINE: '1s',
  }
  // In a folder of its own: an example may name a place beside it, and the checkout is not one.
  await using running = startCommand(args, environment, directory)
  await until(`${line} has begun`, () => begun.test(running.stdout() + running.stderr()))
  running.signal('SIGTERM')
  assert.equal(
    await running.exited,
    ['demo', 'bench'].includes(words[0] ?? '') ? 1 : 0,
    running.stderr(),
  )
}

async function prepareStore(path: string, directory: string): Promise<void> {
  const data = join(directory, 'data')
  if (path === 'keys rotate-master' || path === 'migrate-store') {
    // Only a server makes the keys.
    return startAndStop(`countersign serve --data-dir ${data}`, /Listening on/, directory)
  }
  const made = await runInProcess(['migrate', '--data-dir', data])
  assert.equal(made.code, 0, made.stderr)
  if (path !== 'restore') return
  const backup = join(directory, 'countersign-2026-11-21.db')
  const saved = await runInProcess(['backup', backup, '--data-dir', data])
  assert.equal(saved.code, 0, saved.stderr)
  rmSync(data, { recursive: true })
}

/** The words of a line without anything that only a shell knows; null where there is such. */
function plainWords(line: string): string[] | null {
  if (/[|<>$;&]/.test(line)) return null
  const words = line.match(/'[^']*'|"[^"]*"|\S+/g) ?? []
  return words.map((word) => word.replace(/^(['"])(.*)\1$/, '$2'))
}

function pathOf(command: Command): string {
  const names: string[] = []
  for (let at: Command | null = command; at?.parent; at = at.parent) names.unshift(at.name())
  return names.join(' ')
}
