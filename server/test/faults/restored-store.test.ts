import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { Countersign } from '@countersign/sdk'
import { checkInvariants } from '../support/check-invariants.ts'
import { isUnavailable, notReady, readReadiness } from '../support/readiness.ts'
import { runCommand, startCommand } from '../support/run-command.ts'
import { startServerProcess } from '../support/start-server-process.ts'
import { sqliteStore } from '../support/test-store.ts'

const pageBytes = 4096
const pagesLeft = 20

/** A store that was killed in its work, with a backup of before, and what was published to it. */
async function makeKilledStore(t: TestContext) {
  const server = await startServerProcess()
  t.after(() => server.dispose())
  const { client, dataDir } = server
  const project = (await client.projects.create({ name: 'damaged' })).id
  await client.endpoints.create(project, { url: 'http://127.0.0.1:9/' })
  const publish = async (count: number) => {
    const events = Array.from({ length: count }, () => ({
      type: 'a.b',
      data: { text: 'x'.repeat(500) },
    }))
    return (await client.events.publishBatch(project, events)).map(({ id }) => id ?? '')
  }
  const backedUpIds = await publish(300)
  const backup = join(dataDir, 'backup.db')
  const { code, stderr } = await runCommand(['backup', backup, '--data-dir', dataDir])
  assert.equal(code, 0, stderr)
  await publish(10)
  await server.kill()
  assert.ok(statSync(join(dataDir, 'countersign.db-wal')).size > 0, 'the log holds something')
  return { server, dataDir, project, backup, backedUpIds }
}

const damages: Record<string, { damage: (file: string) => void; sentence: RegExp }> = {
  'its beginning is overwritten': {
    damage(file) {
      withoutLog(file)
      overwrite(file, 0, 100)
    },
    sentence: /is not a SQLite database; .* countersign restore/,
  },
  'its second half is cut off': {
    damage(file) {
      withoutLog(file)
      truncateSync(file, pagesLeft * pageBytes)
    },
    sentence: /is damaged; see countersign doctor, .* countersign restore/,
  },
  'pages in its middle are overwritten': {
    damage(file) {
      withoutLog(file)
      overwrite(file, pagesLeft * pageBytes, statSync(file).size)
    },
    sentence: /is damaged; see countersign doctor, .* countersign restore/,
  },
  'it is empty beside its log': {
    damage: (file) => truncateSync(file, 0),
    sentence: /is empty or gone, but its log .*-wal is not; .* countersign restore/,
  },
  'it is gone and its log is not': {
    damage: (file) => rmSync(file),
    sentence: /is empty or gone, but its log .*-wal is not; .* countersign restore/,
  },
}

test('a damaged database is refused with one sentence that says what to do, and doing that helps', {
  concurrency: true,
}, async (t) => {
  const { server, dataDir, project, backup, backedUpIds } = await makeKilledStore(t)
  const environment = { COUNTERSIGN_ROOT_KEY: server.rootKey }
  const mended: string[] = []
  const tests = Object.entries(damages).map(([what, { damage, sentence }]) =>
    t.test(what, async () => {
      const copy = await mkdtemp(join(tmpdir(), 'countersign-damaged-'))
      t.after(() => rm(copy, { recursive: true }))
      cpSync(dataDir, copy, { recursive: true })
      const file = join(copy, 'countersign.db')
      damage(file)
      const before = hashesOf(file)
      const args = ['serve', '--port', '0', '--data-dir', copy]
      const { code, stderr } = await runCommand(args, environment)
      assert.equal(code, 1, stderr)
      assert.match(stderr, /^[^\n]+\.\n$/, 'one sentence')
      assert.match(stderr, sentence)
      assert.ok(stderr.includes(file), 'it names the file')
      assert.deepEqual(hashesOf(file), before, 'nothing is changed, and nothing deleted')
      const doctor = await runCommand(['doctor', '--data-dir', copy])
      assert.equal(doctor.code, 1)
      assert.match(doctor.stdout, /✖ store: [^✖]*→ .*countersign restore <file>/)

      const restored = await runCommand(['restore', backup, '--data-dir', copy, '--force'])
      assert.equal(restored.code, 0, restored.stderr)
      const kept = await checkInvariants(sqliteStore(copy), { acceptedIds: backedUpIds })
      assert.equal(kept.eventCount, 300)
      mended.push(copy)
    }),
  )
  await Promise.all(tests)
  await assertServes(mended.at(-1) ?? '', project, environment)
})

test('damage that shows only in service is refused, logged, and ends readiness', async (t) => {
  const { server, dataDir, project } = await makeKilledStore(t)
  await server.start()
  assert.equal(await server.terminate(), 0)
  const file = join(dataDir, 'countersign.db')
  const database = new DatabaseSync(file, { readOnly: true })
  const root = database
    .prepare("select rootpage from sqlite_schema where name = 'audit_rows'")
    .get()
  database.close()
  const at = (Number(root?.rootpage) - 1) * pageBytes
  overwrite(file, at, at + pageBytes)

  await server.start()
  const { client, url } = server
  assert.equal((await client.projects.get(project)).id, project, 'what is whole is served')
  assert.equal((await readReadiness(url)).status, 200, 'nothing has met the damage')
  await assert.rejects(client.projects.create({ name: 'audited' }), isUnavailable)
  assert.deepEqual(await readReadiness(url), notReady)
  assert.match(server.output(), /The store cannot be used now: the file is damaged\./)
  const { code, stdout } = await runCommand(['doctor', '--data-dir', dataDir])
  assert.equal(code, 1)
  assert.match(stdout, /✖ store: It is damaged/)
})

async function assertServes(
  dataDir: string,
  project: string,
  environment: Record<string, string>,
): Promise<void> {
  await using server = startCommand(['serve', '--port', '0', '--data-dir', dataDir], environment)
  const [, url = ''] = await server.prints(/Listening on (http[^"]+)"/)
  const apiKey = environment.COUNTERSIGN_ROOT_KEY ?? ''
  const client = new Countersign({ baseUrl: url, apiKey })
  const { id } = await client.events.publish(project, { type: 'a.b', data: {} })
  assert.equal((await client.events.get(project, id)).id, id)
}

/** Moves the log into the database, as a stop in good order does. */
function withoutLog(file: string): void {
  const database = new DatabaseSync(file)
  database.exec('pragma wal_checkpoint(truncate)')
  database.close()
}

function overwrite(file: string, from: number, to: number): void {
  const bytes = readFileSync(file)
  assert.ok(bytes.length >= to)
  writeFileSync(file, bytes.fill(0xff, from, to))
}

/** The log's index is left out: it is made anew from the log. An empty log is as good as none. */
function hashesOf(file: string): string[] {
  return [file, `${file}-wal`].map((path) => {
    const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
    return createHash('sha256').update(bytes).digest('hex')
  })
}
