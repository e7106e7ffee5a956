import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { checkInvariants } from '../server/test/support/check-invariants.ts'
import { sqliteStore } from '../server/test/support/test-store.ts'
import { runNode } from './run-node.ts'

test('seeds a store with every state, and never over another one', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-seed-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const seed = () => runNode(['scripts/seed.ts', '--data-dir', directory, '--deliveries', '1500'])
  const made = await seed()
  assert.ok(made.hasSucceeded, made.output)

  await checkInvariants(sqliteStore(directory))
  const database = new DatabaseSync(join(directory, 'countersign.db'), { readOnly: true })
  t.after(() => database.close())
  const values = (sql: string) =>
    database
      .prepare(sql)
      .all()
      .map((row) => Object.values(row)[0])
  assert.deepEqual(values('select distinct status from deliveries order by 1'), [
    'delivered',
    'failed',
    'pending',
    'skipped',
  ])
  assert.ok(Number(values('select count(*) from deliveries')[0]) > 1_000)
  assert.ok(Number(values('select count(*) from endpoints')[0]) >= 100)
  assert.deepEqual(values('select distinct health from endpoints order by 1'), [
    'blocked',
    'failing',
    'healthy',
  ])
  const completedBy = new Set(values('select outcome_completed_by from rotations'))
  for (const how of ['expiry', 'verified', 'cut', 'manual', null]) assert.ok(completedBy.has(how))
  assert.deepEqual(values('select distinct status from campaigns order by 1'), [
    'completed',
    'paused',
    'running',
  ])
  assert.ok(values('select id from rotations where held_at is not null').length > 0)

  const refused = await seed()
  assert.ok(!refused.hasSucceeded)
  assert.match(refused.output, /There is a store in .* already/)
})
