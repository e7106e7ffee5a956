import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { devGreeting, reachableUrl } from './dev-greeting.ts'

const facts = {
  url: 'http://127.0.0.1:8080',
  dataDir: '/srv/data',
  projectUid: 'demo',
  rootKeyFile: '/srv/data/root-key',
  rootKeyCount: 1,
  shownRootKey: null,
}

test('the first command publishes an event and reads the key from the key file', () => {
  const [first = ''] = commandsOf(devGreeting(facts))
  assert.match(first, /^curl http:\/\/127\.0\.0\.1:8080\/v1\/projects\/demo\/events /)
  assert.ok(first.includes('-H "Authorization: Bearer $(cat /srv/data/root-key)"'), first)
})

test('the commands lead on: receiver, endpoint, deliveries, rotation', () => {
  const paths = commandsOf(devGreeting(facts)).map((command) => command.split(' ')[1])
  const project = `${facts.url}/v1/projects/demo`
  assert.deepEqual(paths, [
    `${project}/events`,
    '-e',
    `${project}/endpoints`,
    `${project}/deliveries`,
    `${project}/endpoints/mine/secret/rotate`,
  ])
})

test('a shell makes of each command the arguments that were meant, whatever the path', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-greeting-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const dataDir = join(directory, `it's "my" data`)
  mkdirSync(dataDir)
  writeFileSync(join(dataDir, 'root-key'), 'csk_of_the_file\n')
  const text = devGreeting({ ...facts, rootKeyFile: join(dataDir, 'root-key') })
  const curls = commandsOf(text).filter((command) => command.startsWith('curl '))
  assert.equal(curls.length, 4)
  for (const command of curls) {
    const args = argumentsOf(command, {})
    assert.ok(args.includes('Authorization: Bearer csk_of_the_file'), command)
    const body = args[args.indexOf('-d') + 1]
    if (args.includes('-d')) assert.equal(typeof JSON.parse(body ?? ''), 'object')
  }
})

test('a configured key is read from the environment; of two, the first', () => {
  const one = devGreeting({ ...facts, rootKeyFile: null })
  const two = devGreeting({ ...facts, rootKeyFile: null, rootKeyCount: 2 })
  for (const [text, value] of [
    [one, 'csk_a'],
    [two, 'csk_a,csk_b'],
  ] as const) {
    const args = argumentsOf(commandsOf(text)[0] ?? '', { COUNTERSIGN_ROOT_KEY: value })
    assert.ok(args.includes('Authorization: Bearer csk_a'), args.join(' '))
  }
})

test('the key itself is shown only when it is given for that', () => {
  assert.ok(devGreeting({ ...facts, shownRootKey: 'csk_shown' }).includes('csk_shown'))
  assert.match(devGreeting(facts), /Root key {7}\/srv\/data\/root-key\n/)
  assert.match(devGreeting({ ...facts, rootKeyFile: null }), /Root key {7}COUNTERSIGN_ROOT_KEY\n/)
})

test('a server on every interface is reached through the loopback one', () => {
  assert.equal(reachableUrl('http://0.0.0.0:80'), 'http://127.0.0.1:80')
  assert.equal(reachableUrl('http://[::]:80'), 'http://[::1]:80')
  assert.equal(reachableUrl('http://10.0.0.1:80'), 'http://10.0.0.1:80')
})

/** The commands of the text as somebody would copy them, continuation lines included. */
function commandsOf(text: string): string[] {
  const commands = text.match(/^ {2}(?:curl|node) (?:.*\\\n)*.*$/gm) ?? []
  return commands.map((command) => command.trim())
}

/** What a POSIX shell passes on, with `curl` replaced by something that prints its arguments. */
function argumentsOf(command: string, environment: Record<string, string>): string[] {
  const print = `printf '%s\\n' `
  const output = execFileSync('sh', ['-c', command.replace(/^curl /, print)], {
    env: { PATH: process.env.PATH, ...environment },
    encoding: 'utf8',
  })
  return output.trimEnd().split('\n')
}
