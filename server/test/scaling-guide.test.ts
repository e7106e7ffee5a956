import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { tableRows } from '../src/config.ts'
import { roles } from '../src/node-options.ts'
import { runCommand } from './support/run-command.ts'
import { readPage } from './support/run-page.ts'

const page = await readPage('guides/scaling.md')
const server = fileURLToPath(new URL('../src', import.meta.url))

test('every command and flag of the scaling guide exists', async () => {
  const code = [...page.matchAll(/^ *```bash\n([\s\S]*?)^ *```|`([^`\n]+)`/gm)]
    .map(([, block, span]) => block ?? span ?? '')
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
  const named = [
    ...code.matchAll(/(?<![\w/.:@-]|-u )countersign ([a-z][a-z-]*(?: rotate-[a-z]+)?)(.*)/g),
  ].map(([, command = '', rest = '']) => ({ command, rest }))
  const commands = new Set(named.map(({ command }) => command))
  for (const command of ['migrate-store', 'migrate', 'doctor', 'keys rotate-master']) {
    assert.ok(commands.has(command), command)
  }
  for (const { command, rest } of named) {
    const { code: status, stdout } = await runCommand([...command.split(' '), '--help'])
    assert.ok(status === 0 && stdout.includes(`Usage: countersign ${command} `), command)
    for (const [, flag = ''] of rest.matchAll(/ (--[a-z-]+)/g)) {
      assert.ok(stdout.includes(flag), `${command} ${flag}`)
    }
  }
})

test('every variable, metric and role of the scaling guide exists', async () => {
  const known = new Set<string>(tableRows().map(([, { variable }]) => variable))
  const variables = [...page.matchAll(/\bCOUNTERSIGN_[A-Z_]+/g)].map(([name]) => name)
  assert.deepEqual(
    variables.filter((name) => !known.has(name)),
    [],
  )
  const described = [...page.matchAll(/`(countersign_\w+)`/g)].map(([, name = '']) => name)
  assert.ok(described.length > 4)
  const code = await readFile(`${server}/metrics.ts`, 'utf8')
  for (const name of described) assert.ok(code.includes(`'${name}'`), name)
  const listed = [...page.matchAll(/^\| `(\w+)` \| (?:answers|delivers|shows)/gm)]
  assert.deepEqual(
    listed.map(([, role]) => role),
    [...roles],
  )
})

test('its number of connections is that of a node', async () => {
  const open = await readFile(`${server}/storage/postgres/open.ts`, 'utf8')
  const bounds = [...open.matchAll(/ConnectionsMax = (\d+)$/gm)].map(([, bound]) => Number(bound))
  const [, all, writes, reads] =
    /up to (\d+): (\d+) for writes, (\d+) for reads, one that listens, one at the start/.exec(
      page,
    ) ?? []
  assert.deepEqual(bounds.sort(), [Number(writes), Number(reads)].sort())
  assert.equal(Number(all), Number(writes) + Number(reads) + 2)
})
