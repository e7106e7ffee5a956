import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { createIdFactory } from '../../core/ids.ts'
import { onePage } from '../suite/pages-suite.ts'
import { createSamples } from '../suite/samples-suite.ts'
import { createTestClock } from '../suite/test-clock-suite.ts'
import { migrateSqlite } from './migrate.ts'
import { openSqliteStorage } from './open.ts'

test('a database of the first version is migrated with all that it holds', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-migrate-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'test.db')
  writeFirstVersion(file)

  const { applied, version, knownVersion } = await migrateSqlite(file)
  assert.equal(applied[0], '0002-dialects')
  const migrations = readdirSync(new URL('./migrations/', import.meta.url))
  assert.equal(applied.length, migrations.length - 1)
  assert.equal(version, knownVersion)

  const clock = createTestClock()
  const newId = createIdFactory({ now: clock.now, randomBytes })
  const storage = await openSqliteStorage({ file, clock, newId, leaseMs: 1_000 })
  const endpoint = await storage.getEndpoint('prj_1', 'ep_1')
  assert.equal(endpoint?.url, 'https://example.com/hook')
  assert.equal(endpoint.dialect, null)
  const key = await storage.findApiKeyByHash('0a0b')
  assert.deepEqual([key?.id, key?.dialect, key?.clientId], ['key_1', 'mobilerun', null])
  const { items } = await storage.listDeliveries('prj_1', {}, onePage)
  assert.deepEqual(
    items.map(({ id, status, eventTimestamp, lastDurationMs }) => [
      id,
      status,
      eventTimestamp,
      lastDurationMs,
    ]),
    [['dlv_1', 'delivered', '2026-01-02T03:04:05Z', 12.5]],
  )
  const counts = await storage.countDeliveries('prj_1', {})
  assert.deepEqual(counts, { pending: 0, delivered: 1, failed: 0, skipped: 0 })

  // What was there goes on: the old endpoint gets what is published now, beside a new one.
  const samples = createSamples({ storage, clock })
  await samples.addEndpoint('prj_1', { dialect: 'dinie' })
  await samples.publish('prj_1')
  assert.equal((await samples.claimAll()).length, 2)
  await storage.close()
})

/** As the first version left it. */
function writeFirstVersion(file: string): void {
  const database = new DatabaseSync(file)
  database.exec(readFileSync(new URL('./migrations/0001-initial.sql', import.meta.url), 'utf8'))
  database.exec(`
    pragma application_id = 0x43534947;
    create table schema_migrations (
      version integer primary key,
      name text not null,
      applied_at integer not null
    ) strict;
    insert into schema_migrations values (1, '0001-initial', 1);
    insert into projects (id, name, settings, created_at, updated_at)
    values ('prj_1', 'Acme', '{}', 1, 1);
    insert into api_keys (id, project_id, name, scopes, dialect, hint, hash, created_at)
    values ('key_1', 'prj_1', 'server', '["events.write"]', 'mobilerun', 'abcd', '0a0b', 1);
    insert into endpoints (id, project_id, url, event_types, state, signing_enabled, format,
      algorithm, header_names, metadata, created_by, search_text, health, consecutive_failures,
      created_at, updated_at)
    values ('ep_1', 'prj_1', 'https://example.com/hook', '["*"]', 'active', 1, 'standard',
      'hmac-sha256', '[]', '{}', '{"type":"root","id":null,"name":null}',
      'https://example.com/hook', 'healthy', 0, 1, 1);
    insert into events (seq, project_seq, id, type, timestamp, metadata, data, delivery_count,
      first_delivery_seq, created_at)
    values (1, 1, 'evt_1', 'order.created', '2026-01-02T03:04:05Z', '{}', '{}', 1, 1, 1);
    insert into deliveries (seq, id, project_seq, endpoint_seq, event_seq, status, attempt_count,
      series_attempt_count, last_status_code, is_test, created_at, completed_at)
    values (1, 'dlv_1', 1, 1, 1, 'delivered', 1, 1, 204, 0, 1, 2);
    insert into attempts (id, delivery_seq, number, started_at, duration_ms, method, url,
      request_headers, secret_ids, status_code)
    values ('att_1', 1, 1, 2, 12.5, 'POST', 'https://example.com/hook', '{}', '[]', 204);
  `)
  database.close()
}
