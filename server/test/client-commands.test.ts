import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Receiver, startReceiver } from './support/receiver.ts'
import { runInProcess } from './support/run-in-process.ts'
import { startTestApp, type TestApp } from './support/start-test-app.ts'
import { until } from './support/until.ts'

let app: TestApp
let receiver: Receiver
let directory: string
const project = 'acme'

before(async () => {
  app = await startTestApp({ environment: { COUNTERSIGN_RETRY_SCHEDULE: '1h' } })
  receiver = await startReceiver()
  directory = mkdtempSync(join(tmpdir(), 'countersign-commands-'))
  await app.client.projects.create({ name: 'Acme', uid: project })
})
after(async () => {
  await receiver.close()
  await app.dispose()
  rmSync(directory, { recursive: true })
})

const environment = () => ({
  COUNTERSIGN_URL: app.app.url,
  COUNTERSIGN_API_KEY: app.rootKey,
  COUNTERSIGN_PROJECT: project,
  XDG_CONFIG_HOME: directory,
})
const run = (args: readonly string[], more: Record<string, string> = {}) =>
  runInProcess(args, { environment: { ...environment(), ...more } })
const json = async (args: readonly string[]) => JSON.parse((await run([...args, '--json'])).stdout)
const fetchJson = async (path: string) => {
  const headers = { authorization: `Bearer ${app.rootKey}` }
  return (await fetch(`${app.app.url}/v1${path}`, { headers })).json()
}

describe('a command that mints a secret', () => {
  test('prints none, and says how to see the very same one', async () => {
    const created = await run(['endpoints', 'create', receiver.url, '--uid', 'quiet'])
    assert.equal(created.code, 0, created.stderr)
    assert.doesNotMatch(created.stdout + created.stderr, /whsec_/)

    const rotate = ['endpoints', 'rotate-secret', 'quiet', '--expire-current-in', '1h']
    const rotated = await run([...rotate, '--reason', "it's time", '--json'])
    assert.equal(rotated.code, 0, rotated.stderr)
    assert.doesNotMatch(rotated.stdout + rotated.stderr, /whsec_/)
    const { secret_id: secretId } = JSON.parse(rotated.stdout)

    const [, again = ''] = /^ {2}countersign (.*)$/m.exec(rotated.stderr) ?? []
    const words = execFileSync('sh', ['-c', `printf '%s\\n' ${again}`], { encoding: 'utf8' })
    const shown = await run(words.trimEnd().split('\n'))
    assert.equal(shown.code, 0, shown.stderr)
    const answer = JSON.parse(shown.stdout)
    assert.match(answer.secret, /^whsec_/)
    assert.equal(answer.secret_id, secretId, 'it is the same rotation, not another one')
    const rotations = await json(['rotations', 'list', 'quiet'])
    assert.equal(rotations.length, 1)
  })

  test('writes it to a file of its own, and refuses one that is there before it does anything', async () => {
    const file = join(directory, 'new.secret')
    const args = ['endpoints', 'create', receiver.url, '--uid', 'filed', '--secret-to', file]
    const made = await run(args)
    assert.equal(made.code, 0, made.stderr)
    assert.match(readFileSync(file, 'utf8'), /^whsec_\S+\n$/)
    assert.equal(statSync(file).mode & 0o777, 0o600)
    assert.doesNotMatch(made.stdout + made.stderr, /whsec_/)

    const again = await run(['endpoints', 'rotate-secret', 'filed', '--secret-to', file])
    assert.equal(again.code, 2)
    assert.deepEqual(await json(['rotations', 'list', 'filed']), [])
  })

  test('leaves no file behind where the server refused', async () => {
    const file = join(directory, 'refused.secret')
    const refused = await run(['endpoints', 'rotate-secret', 'nobody', '--secret-to', file])
    assert.equal(refused.code, 1)
    assert.throws(() => statSync(file))
  })

  test('drops nothing that was asked for: no link where there is none to give', async () => {
    const args = ['endpoints', 'rotate-secret', 'quiet', '--algorithm', 'ed25519', '--claim-link']
    const before = await json(['rotations', 'list', 'quiet'])
    assert.equal((await run(args)).code, 2)
    assert.deepEqual(await json(['rotations', 'list', 'quiet']), before)
  })

  test('takes a secret of the user’s own from standard input', async () => {
    const secret = `whsec_${Buffer.from('a secret of the user, long enough').toString('base64')}`
    const rotated = await runInProcess(
      ['webhooks', 'rotate-secret', '--id', 'filed', '--secret-from', '-', '--json'],
      { environment: environment(), stdin: `${secret}\n` },
    )
    assert.equal(rotated.code, 0, rotated.stderr)
    const [newest] = await json(['secrets', 'list', 'filed'])
    assert.equal(newest.hint, secret.slice(-4))
  })
})

describe('profiles', () => {
  const file = () => join(directory, 'countersign', 'config.json')

  test('keep what is needed to reach a server, for the user alone', async () => {
    const key = join(directory, 'key')
    writeFileSync(key, `${app.rootKey}\n`)
    const bare = { XDG_CONFIG_HOME: directory }
    const args = ['profiles', 'set', 'here', '--url', app.app.url, '--api-key-from', key]
    const set = await runInProcess([...args, '--project', project], { environment: bare })
    assert.equal(set.code, 0, set.stderr)
    assert.equal(statSync(file()).mode & 0o777, 0o600)
    const listed = await runInProcess(['profiles', 'list', '--json'], { environment: bare })
    assert.doesNotMatch(listed.stdout + set.stdout, /csk_/)
    const shown = await runInProcess(['projects', 'show', '--json'], { environment: bare })
    assert.equal(JSON.parse(shown.stdout).uid, project)
  })

  test('may have any name, also one that every object has, and one that is unknown is refused', async () => {
    const path = { XDG_CONFIG_HOME: join(directory, 'names') }
    const profiles = (...args: string[]) =>
      runInProcess(['profiles', ...args], { environment: path })
    assert.equal((await profiles('use', 'toString')).code, 2)
    assert.equal((await profiles('set', '__proto__', '--url', app.app.url)).code, 0)
    const [kept] = JSON.parse((await profiles('list', '--json')).stdout)
    assert.deepEqual([kept.name, kept.url, kept.is_current], ['__proto__', app.app.url, true])
    const unknown = await runInProcess(['status', '--profile', 'constructor'], {
      environment: path,
    })
    assert.match(unknown.stderr, /no profile constructor/)
  })

  test('that others may read are refused, with the way to put it right', async () => {
    chmodSync(file(), 0o644)
    const refused = await runInProcess(['projects', 'show'], { environment: environment() })
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, /mode 0644.*chmod 600/)
    chmodSync(file(), 0o600)
    assert.equal((await run(['projects', 'show', '--profile', 'nobody'])).code, 2)
    rmSync(file())
  })
})

describe('output', () => {
  test('of --json is what the API answers', async () => {
    assert.deepEqual(
      await json(['endpoints', 'show', 'quiet']),
      await fetchJson(`/projects/acme/endpoints/quiet`),
    )
    const { data } = (await fetchJson('/projects/acme/audit-log?limit=25')) as { data: unknown }
    assert.deepEqual(await json(['audit', 'list']), data)
  })

  test('is a table on a terminal, without colours where they are refused', async () => {
    const terminal = { environment: environment(), isTerminal: true }
    const table = await runInProcess(['endpoints', 'list'], terminal)
    assert.ok(table.stdout.startsWith('\u001b[2mID'))
    const plain = await runInProcess(['endpoints', 'list'], {
      ...terminal,
      environment: { ...environment(), NO_COLOR: '1' },
    })
    assert.match(plain.stdout, /^ID +UID/)
    const piped = await run(['endpoints', 'list'])
    assert.match(piped.stdout, /^ep_\w+\tfiled\tactive/m)
  })

  test('moves no cursor, whatever others wrote into what it shows', async () => {
    const description = 'a\u001b[2Jb'
    await app.client.eventTypes.define(project, 'evil.type', { description })
    assert.match((await run(['event-types', 'list'])).stdout, /a\ufffd\[2Jb/)
  })

  test('tells that there are more, and --limit reads over pages', async () => {
    const events = Array.from({ length: 130 }, () => ({ type: 'order.many', data: {} }))
    await app.client.events.publishBatch(project, events)
    const some = await run(['events', 'list', '--json'])
    assert.equal(JSON.parse(some.stdout).length, 25)
    assert.match(some.stderr, /There are more/)
    const all = await run(['events', 'list', '--json', '--limit', '130'])
    assert.equal(JSON.parse(all.stdout).length, 130)
  })
})

describe('exit codes', () => {
  test('come with all that is wrong, also with one event of many', async () => {
    const stdin = '{"type":"order.many","data":{}}\n{"type":1,"nonsense":true}\n'
    const args = ['events', 'publish-batch', '-']
    const { code, stderr } = await runInProcess(args, { environment: environment(), stdin })
    assert.equal(code, 1)
    for (const part of [/^Event 2: /m, /^ {2}\S*type: /m, /^ {2}\S*data: /m, /nonsense: /]) {
      assert.match(stderr, part)
    }
    for (const id of ['a.b', '', 'a\nb', 'x'.repeat(65)]) {
      assert.equal((await run(['sign', 'body.json', '--id', id])).code, 2, id)
    }
  })

  test('tell a refusal, a wrong command line and a server that is not there apart', async () => {
    assert.equal((await run(['endpoints', 'show', 'nobody'])).code, 1)
    assert.equal((await run(['endpoints', 'create', 'no-url'])).code, 1)
    for (const address of ['no-url', 'ftp://127.0.0.1/', 'javascript:1']) {
      assert.equal((await run(['listen', '--forward-to', address])).code, 2, address)
      assert.equal((await run(['drill', address])).code, 2, address)
      assert.equal((await run(['profiles', 'set', 'wrong', '--url', address])).code, 2, address)
    }
    assert.equal((await run(['deliveries', 'retry'])).code, 2)
    assert.equal((await run(['audit', 'list', '--since', 'soon'])).code, 2)
    const gone = { COUNTERSIGN_URL: 'http://127.0.0.1:1' }
    const unreachable = await run(['status'], gone)
    assert.equal(unreachable.code, 3)
    assert.doesNotMatch(unreachable.stderr, /csk_/)
  })
})

describe('what failed', () => {
  test('is sent again by filter: first counted, then done', async () => {
    receiver.answer = () => ({ statusCode: 500 })
    await app.client.endpoints.create(project, { url: receiver.url, uid: 'failing' })
    const tests = Array.from({ length: 3 }, () => app.client.endpoints.test(project, 'failing'))
    await Promise.all(tests)
    const filter = ['--since', '1h', '--status', 'failed', '--endpoint', 'failing']
    const dry = await run(['deliveries', 'retry', ...filter, '--dry-run'])
    assert.match(dry.stdout, /3 would be sent again/)
    const counted = await json(['deliveries', 'recover', ...filter, '--dry-run'])
    assert.deepEqual(
      counted.map((row: { delivery_count: number }) => row.delivery_count),
      [3],
    )
    assert.equal((await json(['deliveries', 'list', ...filter])).length, 3, 'nothing was done yet')

    receiver.answer = () => ({ statusCode: 204 })
    assert.equal((await json(['deliveries', 'retry', ...filter])).length, 3)
    await until('all are delivered', async () => {
      const rows = await json([
        'deliveries',
        'list',
        '--endpoint',
        'failing',
        '--status',
        'delivered',
      ])
      return rows.length === 3
    })
  })
})

describe('rotations status --watch', () => {
  test('shows each change, and ends when no rotation is open', async () => {
    await app.client.endpoints.create(project, { url: receiver.url, uid: 'watched' })
    await app.client.endpoints.rotateSecret(project, 'watched', { expireCurrentIn: 1 })
    const args = ['rotations', 'status', 'watched', '--watch', '--interval', '1']
    const watched = await run(args)
    assert.equal(watched.code, 0, watched.stderr)
    assert.match(watched.stdout, /overlapping[\s\S]*completed\texpiry/)
  })
})

describe('completion', () => {
  test('completes commands and options in bash', async () => {
    const { stdout: script } = await runInProcess(['completion', 'bash'])
    const complete = (words: string) =>
      execFileSync(
        'bash',
        [
          '-c',
          `${script}\nCOMP_WORDS=(${words}); COMP_CWORD=$((\${#COMP_WORDS[@]}-1)); _countersign; echo "\${COMPREPLY[@]}"`,
        ],
        { encoding: 'utf8' },
      ).trim()
    assert.equal(complete('countersign endp'), 'endpoints')
    assert.equal(complete('countersign endpoints rot'), 'rotate-secret')
    assert.equal(
      complete('countersign endpoints rotate-secret billing --expi'),
      '--expire-current-in',
    )
    assert.equal(complete('countersign --vers'), '--version')
  })
})
