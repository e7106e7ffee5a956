import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApi } from '../../test/support/test-api.ts'
import type { Storage } from '../storage/storage.ts'

const readOnce = ['findApiKeyByHash', 'getProject', 'getEventType'] as const

test('beside other processes, what was read of keys, projects and types is used for the ttl', async () => {
  const reads = { findApiKeyByHash: 0, getProject: 0, getEventType: 0 }
  const cacheTtlMs = 1_000
  await using server = await createTestApi({
    wrapStorage: (storage) => counting(storage, { cacheTtlMs, count: (name) => reads[name]++ }),
  })
  const project = await server.addProject({ uid: 'customer' })
  const readsOf = async () => {
    const before = { ...reads }
    const body = { type: 'a.b', data: {} }
    const options = { key: project.key, body }
    const reply = await server.call('POST', '/v1/projects/customer/events', options)
    assert.equal(reply.status, 202, reply.text)
    return readOnce.map((name) => Math.min(1, reads[name] - before[name]))
  }
  assert.deepEqual(await readsOf(), [1, 1, 1])
  server.clock.advance(cacheTtlMs - 1)
  assert.deepEqual(await readsOf(), [0, 0, 0])
  server.clock.advance(1)
  assert.deepEqual(await readsOf(), [1, 1, 1], 'another process may have changed them')
})

test('of many who publish at once when that time is over, one reads for all', async () => {
  const reads = { findApiKeyByHash: 0, getProject: 0, getEventType: 0 }
  await using server = await createTestApi({
    wrapStorage: (storage) =>
      counting(storage, { cacheTtlMs: 1_000, count: (name) => reads[name]++ }),
  })
  const project = await server.addProject({ uid: 'customer' })
  const before = { ...reads }
  const publish = (n: number) =>
    server.call('POST', '/v1/projects/customer/events', {
      key: project.key,
      body: { id: `event-${n}`, type: 'a.b', data: {} },
    })
  const replies = await Promise.all(Array.from({ length: 300 }, (_, n) => publish(n)))
  assert.deepEqual([...new Set(replies.map(({ status }) => status))], [202])
  const own = readOnce.map((name) => reads[name] - before[name])
  // A type has two places: the project's own definitions, and the catalogue.
  assert.deepEqual(own, [1, 1, 2])
})

/** The store as of one of several processes, that counts what is read. */
function counting(
  storage: Storage,
  options: { cacheTtlMs: number; count: (name: (typeof readOnce)[number]) => void },
): Storage {
  const counted: Storage = { ...storage, cacheTtlMs: options.cacheTtlMs }
  return Object.assign(counted, {
    findApiKeyByHash(hash: string) {
      options.count('findApiKeyByHash')
      return storage.findApiKeyByHash(hash)
    },
    getProject(ref: string) {
      options.count('getProject')
      return storage.getProject(ref)
    },
    getEventType(projectId: string | null, name: string) {
      options.count('getEventType')
      return storage.getEventType(projectId, name)
    },
  })
}
