import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { startReceiver } from './support/receiver.ts'
import { startCommand } from './support/run-command.ts'
import { startServerProcess } from './support/start-server-process.ts'
import { until } from './support/until.ts'

async function run(args: string[], environment: Record<string, string> = {}) {
  await using command = startCommand(args, environment)
  const status = await command.exited
  return { status, stdout: command.stdout(), stderr: command.stderr() }
}

/** A running server on this data directory; stopped when it is let go, or by `stop`. */
async function serve(dataDir: string, environment: Record<string, string> = {}) {
  const server = await startServerProcess({ COUNTERSIGN_DATA_DIR: dataDir, ...environment })
  const stop = () => server.terminate()
  return {
    ...server,
    dataDir,
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
      await server.dispose()
    },
  }
}

async function createDirectory() {
  const directory = await mkdtemp(join(tmpdir(), 'countersign-operating-'))
  return {
    directory,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}

describe('backup and restore', () => {
  test('neither writes over what is there, and both say what is wrong', async () => {
    await using place = await createDirectory()
    const dataDir = join(place.directory, 'data')
    const file = join(place.directory, 'backup.db')
    assert.match((await run(['backup', file, '--data-dir', dataDir])).stderr, /no database/)
    await run(['migrate', '--data-dir', dataDir])
    assert.equal((await run(['backup', file, '--data-dir', dataDir])).status, 0)
    const twice = await run(['backup', file, '--data-dir', dataDir])
    assert.equal(twice.status, 1)
    assert.match(twice.stderr, /exists already/)

    const over = await run(['restore', file, '--data-dir', dataDir])
    assert.equal(over.status, 1)
    assert.match(over.stderr, /--force/)
    const forced = await run(['restore', file, '--force', '--data-dir', dataDir])
    assert.equal(forced.status, 0, forced.stderr)
    assert.match(forced.stdout, /before-restore-1/)

    const broken = join(place.directory, 'broken.db')
    const bytes = await readFile(file)
    await writeFile(
      broken,
      Buffer.concat([bytes.subarray(0, 8192), randomBytes(bytes.length - 8192)]),
    )
    const damaged = await run(['restore', broken, '--force', '--data-dir', dataDir])
    assert.equal(damaged.status, 1)
    assert.match(damaged.stderr, /damaged|not a SQLite/)
    await writeFile(broken, 'not a database, but long enough to look at it twice')
    assert.equal((await run(['restore', broken, '--force', '--data-dir', dataDir])).status, 1)
    assert.equal(
      (await run(['migrate', '--data-dir', dataDir])).status,
      0,
      'the store is untouched',
    )
  })

  test('restore refuses while a server has the store open', async () => {
    await using place = await createDirectory()
    await using server = await serve(join(place.directory, 'data'))
    const file = join(place.directory, 'backup.db')
    assert.equal((await run(['backup', file, '--data-dir', server.dataDir])).status, 0)
    const restore = await run(['restore', file, '--force', '--data-dir', server.dataDir])
    assert.equal(restore.status, 1)
    assert.match(restore.stderr, /in use/)
    await server.client.projects.create({ name: 'Still there' })
  })
})

describe('keys rotate-master', () => {
  test('brings everything under a new key while the server delivers', async (t) => {
    await using place = await createDirectory()
    const dataDir = join(place.directory, 'data')
    const receiver = await startReceiver()
    t.after(() => receiver.close())
    let project = ''
    {
      await using server = await serve(dataDir)
      project = (await server.client.projects.create({ name: 'Sealed' })).id
      for (let count = 0; count < 60; count += 1) {
        await server.client.endpoints.create(project, {
          url: receiver.url,
          eventTypes: [`type.n${count}`],
          headers: { 'X-Token': `token-${count}-of-the-customer` },
        })
      }
      await server.stop()
    }
    const old = (await readFile(join(dataDir, 'master-key'), 'utf8')).trim()
    const added = await run(['keys', 'rotate-master', '--new-key', '--data-dir', dataDir])
    assert.equal(added.status, 0, added.stderr)
    const [fresh, kept] = (await readFile(join(dataDir, 'master-key'), 'utf8')).trim().split(',')
    assert.equal(kept, old)
    assert.ok(fresh && fresh !== old)
    {
      await using server = await serve(dataDir)
      const rotated = await run(['keys', 'rotate-master', '--data-dir', dataDir])
      assert.equal(rotated.status, 0, rotated.stderr)
      // Secrets, header values, and the answers kept for the client's Idempotency-Keys.
      assert.match(rotated.stdout, /^(\d{3}) of \1 sealed values/)
      await server.client.events.publish(project, { type: 'type.n7', data: {} })
      await until('it is delivered', () => receiver.received.length > 0)
      const again = await run(['keys', 'rotate-master', '--data-dir', dataDir])
      assert.match(again.stdout, /^0 of /)
      await server.stop()
    }
    await writeFile(join(dataDir, 'master-key'), `${fresh}\n`)
    {
      await using server = await serve(dataDir)
      await server.client.events.publish(project, { type: 'type.n8', data: {} })
      await until('it is delivered under the new key alone', () => receiver.received.length > 1)
      assert.equal(receiver.received.at(-1)?.headers['x-token'], 'token-8-of-the-customer')
    }
  })

  test('says what to do where the keys come from the environment, or do not fit', async () => {
    await using place = await createDirectory()
    const dataDir = join(place.directory, 'data')
    {
      await using server = await serve(dataDir)
      const project = (await server.client.projects.create({ name: 'Sealed' })).id
      await server.client.endpoints.create(project, { url: 'https://a.example/' })
      await server.stop()
    }
    const environment = { COUNTERSIGN_MASTER_KEYS: randomBytes(32).toString('base64') }
    const command = ['keys', 'rotate-master', '--data-dir', dataDir]
    const added = await run([...command, '--new-key'], environment)
    assert.equal(added.status, 1)
    assert.match(added.stderr, /COUNTERSIGN_MASTER_KEYS/)
    const wrong = await run(command, environment)
    assert.equal(wrong.status, 1)
    assert.match(wrong.stderr, /not configured/)
    assert.ok(!wrong.stderr.includes(environment.COUNTERSIGN_MASTER_KEYS))
  })
})

describe('doctor', () => {
  const findingsOf = async (args: string[], environment: Record<string, string> = {}) => {
    const { status, stdout } = await run(['doctor', '--json', ...args], environment)
    const findings = JSON.parse(stdout) as { what: string; level: string; fix: string | null }[]
    return { status, bad: findings.filter(({ level }) => level !== 'ok'), findings }
  }

  test('finds nothing wrong with a sound installation', async () => {
    await using place = await createDirectory()
    const dataDir = join(place.directory, 'data')
    await using _ = await serve(dataDir)
    const { status, findings } = await findingsOf(['--data-dir', dataDir])
    assert.equal(status, 0, JSON.stringify(findings))
    const looked = new Set(findings.map(({ what }) => what))
    for (const what of ['configuration', 'store', 'master keys', 'clock', 'address guard']) {
      assert.ok(looked.has(what), what)
    }
    const { stdout } = await run(['doctor', '--data-dir', dataDir])
    assert.match(stdout, /✔ store: Sound/)
  })

  test('names each thing that is wrong, with its fix', async () => {
    await using place = await createDirectory()
    const dataDir = join(place.directory, 'data')
    {
      await using server = await serve(dataDir)
      await server.stop()
    }
    const config = await findingsOf(['--data-dir', dataDir], { COUNTERSIGN_PORT: 'x' })
    assert.equal(config.status, 1)
    assert.equal(config.bad[0]?.what, 'configuration')

    const wrongKey = { COUNTERSIGN_MASTER_KEYS: randomBytes(32).toString('base64') }
    const keys = await findingsOf(['--data-dir', dataDir], wrongKey)
    assert.deepEqual([keys.status, keys.bad.map(({ what }) => what)], [1, ['master keys']])

    await chmod(join(dataDir, 'master-key'), 0o644)
    const open = await findingsOf(['--data-dir', dataDir])
    assert.deepEqual([open.status, open.bad.map(({ what }) => what)], [1, ['master-key']])
    await chmod(join(dataDir, 'master-key'), 0o600)

    const loose = await findingsOf(['--data-dir', dataDir, '--allow-http'], {
      COUNTERSIGN_ALLOWED_NETWORKS: '169.254.0.0/16',
    })
    assert.equal(loose.status, 0, 'what the operator chose is a warning')
    assert.equal(loose.bad.filter(({ what }) => what === 'address guard').length, 2)

    const file = join(dataDir, 'countersign.db')
    const database = new DatabaseSync(file)
    database.exec(`insert into projects (id, name, settings, created_at, updated_at)
      values ('prj_1', 'x', '{}', 0, 0);
      insert into events (project_seq, id, type, timestamp, metadata, data, delivery_count, created_at)
      values (1, 'evt_1', 'a', 't', '{}', '{}', 0, ${Date.now() + 3_600_000})`)
    database.close()
    const clock = await findingsOf(['--data-dir', dataDir])
    assert.deepEqual([clock.status, clock.bad.map(({ what }) => what)], [1, ['clock']])

    const bytes = await readFile(file)
    await writeFile(
      file,
      Buffer.concat([bytes.subarray(0, 4096), randomBytes(bytes.length - 4096)]),
    )
    const damaged = await findingsOf(['--data-dir', dataDir])
    assert.equal(damaged.status, 1)
    assert.ok(damaged.bad.some(({ what, fix }) => what === 'store' && /restore/.test(fix ?? '')))
  })
})
