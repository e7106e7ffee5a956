import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { deliveryStatuses } from '../../core/delivery.ts'
import type { DeliveryCountFilter } from '../storage.ts'
import { createConnection } from './connection.ts'
import { countDeliveries, entriesPerStepMax } from './delivery-counts.ts'
import { applyMigrations } from './migrate.ts'

const projectSeq = 1
const endpointSeqs = [1, 2, 3]
/** Of the one project; another has as many beside them. */
const deliveryCount = 5 * entriesPerStepMax + 7
/** Many deliveries share each instant, so that steps end in the midst of one. */
const instantCount = 150

test('a count of many steps is exact, whatever is left out', async () => {
  const database = openFilledDatabase()
  const connection = createConnection(database)
  const filters: DeliveryCountFilter[] = [
    {},
    { since: 1 },
    { since: 40 },
    { until: 110 },
    { since: 40, until: 41 },
    { since: 40, until: 110 },
    { since: instantCount },
    { since: 60, until: 60 },
  ]
  for (const endpointSeq of [undefined, ...endpointSeqs]) {
    for (const filter of filters) {
      const counts = await countDeliveries(connection, { projectSeq, endpointSeq }, filter)
      const expected = countWhole(database, endpointSeq, filter)
      assert.deepEqual(counts, expected, JSON.stringify({ endpointSeq, ...filter }))
    }
  }
  database.close()
})

test('between the steps of a count it is the turn of other work', async () => {
  const database = openFilledDatabase()
  let turnCount = 0
  let isCounting = true
  const takeTurn = () => {
    turnCount += 1
    if (isCounting) setImmediate(takeTurn)
  }
  setImmediate(takeTurn)
  const owner = { projectSeq, endpointSeq: undefined }
  await countDeliveries(createConnection(database), owner, {})
  isCounting = false
  assert.ok(turnCount >= deliveryCount / entriesPerStepMax, `there were ${turnCount} turns`)
  database.close()
})

test('a count over endpoints without any delivery gives way too', async () => {
  const database = openFilledDatabase()
  database.exec(`
    with recursive n (i) as (select 1 union all select i + 1 from n where i < 1000)
    insert into endpoints (id, project_id, url, event_types, state, signing_enabled, format,
      header_names, metadata, created_by, search_text, health, consecutive_failures,
      created_at, updated_at)
    select 'ep_empty_' || i, 'prj_2', '', '[]', 'active', 1, '', '[]', '{}', '{}', '', '', 0, 1, 1
    from n;
    delete from deliveries where project_seq = 2`)
  let wasGivenATurn = false
  setImmediate(() => {
    wasGivenATurn = true
  })
  const owner = { projectSeq: 2, endpointSeq: undefined }
  const counts = await countDeliveries(createConnection(database), owner, {})
  assert.deepEqual(counts, { pending: 0, delivered: 0, failed: 0, skipped: 0 })
  assert.ok(wasGivenATurn)
  database.close()
})

/** Statuses, endpoints and times mixed; a clock that was set back has made no order of `seq`. */
function openFilledDatabase(): DatabaseSync {
  const database = new DatabaseSync(':memory:')
  applyMigrations(database, ':memory:')
  for (const seq of [1, 2]) {
    database.exec(`
      insert into projects (seq, id, name, settings, created_at, updated_at)
      values (${seq}, 'prj_${seq}', '', '{}', 1, 1)`)
  }
  for (const seq of endpointSeqs) {
    database.exec(`
      insert into endpoints (seq, id, project_id, url, event_types, state, signing_enabled, format,
        header_names, metadata, created_by, search_text, health, consecutive_failures,
        created_at, updated_at)
      values (${seq}, 'ep_${seq}', 'prj_1', '', '[]', 'active', 1, '', '[]', '{}', '{}', '', '',
        0, 1, 1)`)
  }
  database.exec(`
    with recursive n (i) as (select 0 union all select i + 1 from n where i < ${2 * deliveryCount - 1}),
      parts (i, status, created_at) as (
        select i,
          case when i * 31 % 100 < 45 then 'pending' when i * 31 % 100 < 70 then 'failed'
            when i * 31 % 100 < 80 then 'skipped' else 'delivered' end,
          i * 7919 / 3 % ${instantCount}
        from n
      )
    insert into deliveries (id, project_seq, endpoint_seq, event_seq, status, attempt_count,
      series_attempt_count, due_at, is_test, created_at)
    select 'dlv_' || i, i % 2 + 1, case when i % 2 = 1 then 9 when i % 3 = 0 then 1 when i % 9 = 1 then 2 else 3 end, 1, status, 0, 0,
      case status when 'pending' then created_at + i % 5 end, 0, created_at
    from parts`)
  return database
}

/** The same figures by reading every row. */
function countWhole(
  database: DatabaseSync,
  endpointSeq: number | undefined,
  { since = 0, until = instantCount + 1 }: DeliveryCountFilter,
) {
  const statement = database.prepare(`
    select count(*) as count from deliveries not indexed
    where project_seq = ? and status = ? and (endpoint_seq = ?3 or ?3 is null)
      and created_at >= ?4 and created_at < ?5`)
  const entries = deliveryStatuses.map((status) => {
    const row = statement.get(projectSeq, status, endpointSeq ?? null, since, until)
    return [status, row?.count]
  })
  return Object.fromEntries(entries)
}
