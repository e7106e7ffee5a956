import assert from 'node:assert/strict'
import { test } from 'node:test'
import { handleOnce, memorySeenStore } from './seen-store.ts'

test('does the work of an event once', async () => {
  const store = memorySeenStore()
  const done: string[] = []
  const handle = (id: string) => handleOnce(store, id, () => done.push(id))
  assert.equal(await handle('a'), 'handled')
  assert.equal(await handle('a'), 'handled_before')
  assert.equal(await handle('b'), 'handled')
  assert.deepEqual(done, ['a', 'b'])
})

test('does work again that has thrown, and throws what it threw', async () => {
  const store = memorySeenStore()
  const failure = new Error('no database')
  const failing = handleOnce(store, 'a', () => Promise.reject(failure))
  await assert.rejects(failing, (error) => error === failure)
  assert.equal(await handleOnce(store, 'a', () => {}), 'handled')
})

test('says that an event is being handled, and does not call that handled', async () => {
  const store = memorySeenStore()
  const { promise, resolve } = Promise.withResolvers<void>()
  const first = handleOnce(store, 'a', () => promise)
  assert.equal(await handleOnce(store, 'a', () => assert.fail('twice')), 'busy')
  resolve()
  assert.equal(await first, 'handled')
  assert.equal(await handleOnce(store, 'a', () => assert.fail('twice')), 'handled_before')
})

test('lets a hold lapse, and an id be forgotten', async () => {
  let now = 0
  const store = memorySeenStore({ now: () => now })
  assert.equal(await store.take('a', 1_000), 'taken')
  now = 999
  assert.equal(await store.take('a', 1_000), 'busy')
  now = 1_000
  assert.equal(await store.take('a', 1_000), 'taken')
  await store.finish('a', 5_000)
  now = 5_999
  assert.equal(await store.take('a', 1_000), 'done')
  now = 6_000
  assert.equal(await store.take('a', 1_000), 'taken')
})

test('remembers a week by default', async () => {
  let now = 0
  const store = memorySeenStore({ now: () => now })
  await handleOnce(store, 'a', () => {})
  now = 7 * 86_400_000 - 1
  assert.equal(await handleOnce(store, 'a', () => {}), 'handled_before')
})

test('keeps no more ids than it may, and forgets the oldest', async () => {
  const store = memorySeenStore({ idsMax: 2 })
  for (const id of ['a', 'b', 'c']) await handleOnce(store, id, () => {})
  const found = []
  for (const id of ['b', 'c', 'a']) found.push(await store.take(id, 1))
  assert.deepEqual(found, ['done', 'done', 'taken'])
})
