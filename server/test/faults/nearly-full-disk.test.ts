import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Countersign } from '@countersign/sdk'
import { checkInvariants } from '../support/check-invariants.ts'
import { createOwnDisk, whyNoOwnDisk } from '../support/own-disk.ts'
import { isUnavailable, notReady, readReadiness } from '../support/readiness.ts'
import { startServerProcess } from '../support/start-server-process.ts'
import { startTestApp } from '../support/start-test-app.ts'
import { watchWriterDatabase } from '../support/writer-database.ts'

/** A quota, or a disk that others fill, shows no lack of space beforehand. */
test('where a small write still fits, the server is not ready before a large event fits again', async (t) => {
  using writer = watchWriterDatabase()
  const server = await startTestApp()
  t.after(() => server.dispose())
  const { url } = server.app
  const client = new Countersign({ baseUrl: url, apiKey: server.rootKey, retriesMax: 0 })
  const project = (await client.projects.create({ name: 'nearly' })).id
  await client.endpoints.create(project, { url: 'http://127.0.0.1:9/' })
  const large = { type: 'a.b', data: { text: 'x'.repeat(200_000) } }
  const pages = writer.get().prepare('pragma page_count').get()
  writer.get().exec(`pragma max_page_count = ${pages?.page_count}`)
  assert.equal((await readReadiness(url)).status, 200, 'nothing has failed yet')
  await assert.rejects(client.events.publish(project, large), isUnavailable)
  await client.projects.update(project, { name: 'a small write fits' })
  const several = await Promise.all([1, 2, 3].map(() => readReadiness(url)))
  assert.deepEqual(several, [notReady, notReady, notReady])

  writer.get().exec('pragma max_page_count = 1073741823')
  assert.equal((await readReadiness(url)).status, 200)
  await client.events.publish(project, large)
  await checkInvariants(server.store)
})

test('a start that runs out of room is one sentence, wherever it does', {
  skip: whyNoOwnDisk() ?? false,
}, async (t) => {
  // The last one has room for the tables, and none for the first write.
  for (const kibibytes of [4, 100, 260]) {
    const disk = await createOwnDisk({ bytes: kibibytes * 1024 })
    t.after(() => disk.dispose())
    const start = startServerProcess({}, { dataDir: disk.path, launcher: disk.launcher })
    await assert.rejects(start, ({ message }: Error) => {
      const [, printed = ''] = /^The server ended:\n([\s\S]*)$/.exec(message) ?? []
      const sentence = printed.split('\n').filter((line) => line !== '' && !line.startsWith('{'))
      assert.equal(sentence.length, 1, printed)
      assert.match(sentence[0] ?? '', /^The [^\n]*\bis full\b[^\n]*\.$/)
      assert.ok(printed.includes(disk.path))
      return true
    })
  }
})
