import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { repositoryRoot, runNode } from '../../../scripts/run-node.ts'
import { noBrowser, openConsole } from './open-console.ts'

const isLong = process.env.COUNTERSIGN_TEST_LONG !== undefined
/** Within which a page is to be usable. */
const usableMsMax = 1_000
/** Fewer than `npm run seed` makes by default, which takes longer than a test may. */
const deliveries = '30000'

test('every page of a seeded store is usable within a second', {
  skip: noBrowser || (!isLong && 'set COUNTERSIGN_TEST_LONG=1 for the test that seeds a store'),
}, async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'countersign-seeded-'))
  const screenshots = join(repositoryRoot, 'console', 'screenshots')
  await mkdir(screenshots, { recursive: true })
  try {
    const seed = ['scripts/seed.ts', '--data-dir', dataDir, '--deliveries', deliveries]
    const { hasSucceeded, output } = await runNode(seed)
    assert.ok(hasSucceeded, output)
    await using open = await openConsole({ COUNTERSIGN_DATA_DIR: dataDir })
    const { page, complaints, enter, go } = await open.openPage()
    await enter('/')
    const { data } = await open.test.client.fleet.list({ blocker: 'rotation_held' }).page()
    const [held] = data
    assert.ok(held?.rotation, 'the story has a rotation that is held')
    const project = `/projects/${held.projectId}`
    const endpoint = `${project}/endpoints/${held.endpointId}`
    const pages = [
      ...['/', '/fleet', project, endpoint, `${endpoint}?tab=secrets`, `${endpoint}?tab=stats`],
      `${endpoint}/rotations/${held.rotation.id}`,
      ...['endpoints', 'deliveries', 'live', 'events', 'event-types', 'api-keys', 'audit-log'].map(
        (name) => `${project}/${name}`,
      ),
    ]
    for (const path of pages) {
      const startedAtMs = performance.now()
      await go(path)
      const tookMs = Math.round(performance.now() - startedAtMs)
      assert.ok(tookMs < usableMsMax, `${path} took ${tookMs} ms`)
      const name = `seeded-${pages.indexOf(path)}.png`
      await page.screenshot({ path: join(screenshots, name) })
    }
    assert.deepEqual(complaints, [])
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
})
