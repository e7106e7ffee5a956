import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmod,
  glob,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { apiLimits } from '../src/api/api-limits.ts'
import { readConfig, tableRows } from '../src/config.ts'
import { parseDuration } from '../src/core/duration.ts'
import { limits } from '../src/core/limits.ts'
import { createMetrics } from '../src/metrics.ts'
import { runCommand } from './support/run-command.ts'
import { commandsCannotRun, readPage } from './support/run-page.ts'
import { startTestApp } from './support/start-test-app.ts'

const page = await readPage('guides/operating.md')
const source = fileURLToPath(new URL('../src', import.meta.url))

describe('docs/guides/operating.md', () => {
  test('every command for a running server works when pasted', {
    skip: commandsCannotRun,
  }, async () => {
    const { status, output, files } = await runPage(page)
    assert.equal(status, 0, output)
    assert.ok(
      files.some((name) => /^backup-.*\.db$/.test(name)),
      `no backup among ${files.join(', ')}`,
    )
    for (const call of [
      /^POST \S+\/api-keys\/key_\w+\/rotate 200$/m,
      /^POST \S+\/endpoints\/orders\/recover 202$/m,
      /^GET \S+\/metrics 200$/m,
      /^PATCH \S+\/projects\/shop 200$/m,
    ]) {
      assert.match(output, call)
    }
  })

  test('its table of metrics has every metric, and no other', async () => {
    const text = await renderMetrics()
    const known = [...text.matchAll(/^# HELP (\S+)/gm)].map(([, name]) => name)
    const described = [...page.matchAll(/^\| `(countersign_\w+)` \|/gm)].map(([, name]) => name)
    assert.deepEqual(described.sort(), known.sort())
  })

  test('as it says, no metric has a label that names a customer', async () => {
    const code = await readFile(join(source, 'metrics.ts'), 'utf8')
    const labels = [...code.matchAll(/labelNames: \[([^\]]*)\]/g)].map(([, names]) => names)
    assert.deepEqual(labels.sort(), ["'outcome'", "'status'"])
  })

  test('every line of its table of log lines is one that the server writes', async () => {
    const table = /### Log lines\n([\s\S]*?)\n## /.exec(page)?.[1] ?? ''
    const lines = [...table.matchAll(/^\| `([^`]+)` \| (?:error|warn|info) \|/gm)]
    assert.ok(lines.length > 10)
    const code = await readSources()
    for (const [, line = ''] of lines) assert.ok(code.includes(line), line)
  })

  test('every command and flag that it names exists', async () => {
    const named = commandsIn(page)
    assert.ok(named.length > 10)
    const helps = new Map<string, string>()
    for (const { command, line } of named) {
      const help = helps.get(command) ?? (await helpOf(command))
      helps.set(command, help)
      const flags = [...line.matchAll(/ (--[a-z-]+)/g)].map(([, flag = '']) => flag)
      for (const flag of flags) assert.ok(help.includes(flag), `${flag} in: ${line}`)
    }
  })

  test('every variable that it names is an option', () => {
    const known = new Set<string>(tableRows().map(([, { variable }]) => variable))
    const named = [...page.matchAll(/\bCOUNTERSIGN_[A-Z_]+/g)].map(([name]) => name)
    assert.deepEqual(
      named.filter((name) => !known.has(name)),
      [],
    )
  })

  test('its limits are those of the code', () => {
    const rows = [...page.matchAll(/^\| [^|]+ \| ([^|]+) \| `(\w+)`(?: in `[^`]+`)? \|$/gm)]
    assert.ok(rows.length > 15)
    for (const [row, bound = '', name = ''] of rows)
      assert.equal(amountOf(bound), boundOf(name), row)
  })

  test('what is not there is found', async () => {
    const [first] = commandsIn('`countersign undo --all`')
    assert.deepEqual(first, { command: 'undo', line: 'countersign undo --all' })
    await assert.rejects(helpOf('undo'), /undo/)
    await assert.rejects(helpOf('keys undo'), /keys undo/)
    assert.notEqual(amountOf('17 MiB'), boundOf('batchBodyBytesMax'))
  })
})

/** Runs the `sh` blocks, pasted one after the other, in a directory as the guide takes it. */
async function runPage(text: string) {
  const server = await startTestApp()
  const directory = await mkdtemp(join(tmpdir(), 'countersign-guide-'))
  try {
    await symlink(server.dataDir, join(directory, 'data'))
    await mkdir(join(directory, 'bin'))
    const command = join(directory, 'bin', 'countersign')
    const entry = join(source, 'main.ts')
    await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' '${entry}' "$@"\n`)
    await chmod(command, 0o755)
    const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block = '']) => block)
    const commands = blocks.join('\n').replaceAll('http://127.0.0.1:8080', server.app.url)
    const tell = '%{stderr}%{method} %{url_effective} %{http_code}\\n'
    const script = `set -euo pipefail\ncurl() { command curl -sS --fail-with-body -w '${tell}' "$@"; }\n${commands}`
    const child = spawn('bash', ['-c', script], {
      cwd: directory,
      env: { PATH: `${join(directory, 'bin')}:${process.env.PATH}` },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    })
    const [stdout, calls, [status]] = await Promise.all([
      child.stdout.setEncoding('utf8').toArray(),
      child.stderr.setEncoding('utf8').toArray(),
      once(child, 'close') as Promise<[number | null]>,
    ])
    const output = `${stdout.join('')}\n${calls.join('')}`
    return { status, output, files: await readdir(directory) }
  } finally {
    await server.dispose()
    await rm(directory, { recursive: true, force: true })
  }
}

async function renderMetrics(): Promise<string> {
  const metrics = createMetrics({ now: () => 0, secretMaxAgeDays: null })
  metrics.watch({
    backlog: async () => ({ pending: 0, oldestDueAt: null }),
    countOpenRotations: async () => ({ open: 0, held: 0 }),
    countOverAge: async () => 0,
  })
  const text = await metrics.render()
  metrics.stop()
  return text
}

async function readSources(): Promise<string> {
  const texts: string[] = []
  for await (const path of glob('**/*.ts', { cwd: source })) {
    if (!path.endsWith('.test.ts')) texts.push(await readFile(join(source, path), 'utf8'))
  }
  return texts.join('\n')
}

/** Commands in blocks and in backticks; what runs another program in a container is none. */
function commandsIn(text: string): { command: string; line: string }[] {
  const code = [...text.matchAll(/^```(?:ba)?sh\n([\s\S]*?)^```|`([^`\n]+)`/gm)]
    .map(([, block, span]) => block ?? span ?? '')
    .join('\n')
  const pattern =
    /(?<![\w/.:-])countersign (?:-- )?(?!countersign\b|cat\b|rm\b|sh\b)([a-z][a-z-]*(?: rotate-[a-z]+)?).*/g
  return [...code.matchAll(pattern)].map(([line, command = '']) => ({ command, line }))
}

/** Fails where there is no such command. */
async function helpOf(command: string): Promise<string> {
  const { code, stdout } = await runCommand([...command.split(' '), '--help'])
  const isIts = stdout.includes(`Usage: countersign ${command} `)
  assert.ok(code === 0 && isIts, `there is no command ${command}`)
  return stdout
}

/** Bytes, milliseconds or a plain number. */
function amountOf(text: string): number {
  const [, figure = '', unit = ''] = /^(\d+) ?(KiB|MiB|bytes|seconds)?$/.exec(text.trim()) ?? []
  if (figure === '') return parseDuration(text.trim()) ?? Number.NaN
  return Number(figure) * ({ KiB: 1024, MiB: 1024 ** 2 }[unit] ?? 1)
}

function boundOf(name: string): unknown {
  const read = readConfig({})
  assert.ok(read.ok)
  const [option] = tableRows().find(([, { variable }]) => variable === name) ?? []
  if (option !== undefined) return read.config[option]
  return { ...limits, ...apiLimits }[name as keyof typeof limits]
}
