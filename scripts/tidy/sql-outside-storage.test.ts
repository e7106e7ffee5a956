import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSourceTree } from './source-tree.ts'
import { sqlOutsideStorage } from './sql-outside-storage.ts'

function count(text: string, path = 'server/src/api/a.ts'): number {
  return sqlOutsideStorage.check(createSourceTree({ [path]: text })).length
}

test('finds statements in strings and templates', () => {
  for (const text of [
    "query('select id from event')",
    "query('SELECT id FROM event')",
    ['query(`\n  select id\n  from $', '{table}\n`)'].join(''),
    "query('with due as (select 1) select * from due')",
    "query('insert into event values (?)')",
    "query('insert or ignore into event values (?)')",
    "query('update event set state = ?')",
    "query('delete from event')",
    "query('create table event (id text)')",
    "query('create unique index event_id on event (id)')",
    "query('pragma journal_mode = wal')",
  ]) {
    assert.equal(count(text), 1, text)
  }
})

test('leaves sentences alone', () => {
  for (const text of [
    "say('Select a project from the list')",
    "say('Delete from the console, or update it')",
    "say('update the endpoint, then set the secret')",
    "say('with a key from the ring')",
    '// select id from event',
  ]) {
    assert.equal(count(text), 0, text)
  }
})

test('allows SQL in storage, and in tests', () => {
  const text = "query('select id from event')"
  assert.equal(count(text, 'server/src/storage/sqlite/a.ts'), 0)
  assert.equal(count(text, 'server/test/a.test.ts'), 0)
  assert.equal(count(text, 'sdk/src/a.ts'), 1)
})
