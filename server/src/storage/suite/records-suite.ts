import assert from 'node:assert/strict'
import type { AuditRow } from '../../core/audit.ts'
import type { Announcement, IdempotentAnswer } from '../storage.ts'
import type { StoreTest } from '../storage-suite.ts'
import { onePage, readPages } from './pages-suite.ts'

export function recordsSuite(test: StoreTest): void {
  test('keeps audit rows and lists them by filter', async ({ storage, samples, clock }) => {
    const project = await samples.addProject()
    const other = await samples.addProject()
    const now = clock.now()
    const row = (values: Partial<AuditRow>): AuditRow => ({
      id: samples.id('aud'),
      projectId: project.id,
      at: now,
      action: 'endpoint.created',
      actor: { type: 'key', id: 'key_1', name: 'server' },
      target: { type: 'endpoint', id: 'ep_1' },
      reason: null,
      requestId: 'req_1',
      sourceAddress: '192.0.2.1',
      details: { list: [1, '😀'] },
      ...values,
    })
    const rows = [
      row({ at: now - 20, action: 'endpoint.secret.rotated', reason: 'a leak' }),
      row({ at: now - 10, actor: { type: 'root', id: null, name: null } }),
      row({ requestId: null, sourceAddress: null }),
      row({ actor: { type: 'key', id: 'key_2', name: null } }),
    ]
    await storage.transact(async (tx) => {
      for (const each of rows) await tx.insertAuditRow(each)
      await tx.insertAuditRow(row({ projectId: other.id }))
      await tx.insertAuditRow(row({ projectId: null }))
    })
    const list = (filter: Parameters<typeof storage.listAuditRows>[1]) =>
      readPages(2, (page) => storage.listAuditRows(project.id, filter, page))
    const [rotated, byRoot, plain, byOther] = rows
    assert.deepEqual(await list({}), [byOther, plain, byRoot, rotated])
    assert.deepEqual(await list({ action: 'endpoint.secret.rotated' }), [rotated])
    assert.deepEqual(await list({ actor: 'key_1' }), [plain, rotated])
    assert.deepEqual(await list({ actor: 'root' }), [byRoot])
    assert.deepEqual(await list({ since: now - 10 }), [byOther, plain, byRoot])
    assert.deepEqual(await list({ since: now, actor: 'key_2' }), [byOther])
  })

  test('keeps an answer under its key until it expires', async ({ storage, samples }) => {
    const answer = newAnswer({ createdAt: 100, expiresAt: 200 })
    await storage.transact((tx) => tx.insertIdempotentAnswer('scope', answer))
    assert.deepEqual(await storage.findIdempotentAnswer('scope', 199), answer)
    assert.equal(await storage.findIdempotentAnswer('scope', 200), null)
    assert.equal(await storage.findIdempotentAnswer('other', 150), null)

    const project = samples.project()
    await assert.rejects(
      storage.transact(async (tx) => {
        await tx.insertProject(project)
        await tx.insertIdempotentAnswer('scope', newAnswer({ createdAt: 150, expiresAt: 250 }))
      }),
      { name: 'StorageConflictError', constraint: 'idempotency_key' },
    )
    assert.equal(await storage.getProject(project.id), null)
    assert.deepEqual(await storage.findIdempotentAnswer('scope', 150), answer)
    const later = newAnswer({ createdAt: 200, expiresAt: 300, isSealed: true, statusCode: 201 })
    await storage.transact((tx) => tx.insertIdempotentAnswer('scope', later))
    assert.deepEqual(await storage.findIdempotentAnswer('scope', 250), later)
  })

  test('lets one of two answers under a key through', async ({ storage }) => {
    const insert = () =>
      storage.transact((tx) => tx.insertIdempotentAnswer('scope', newAnswer({ createdAt: 1 })))
    const outcomes = await Promise.allSettled([insert(), insert()])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    )
  })

  test('removes expired answers, so many at a time', async ({ storage }) => {
    await storage.transact(async (tx) => {
      for (let index = 0; index < 5; index += 1) {
        const answer = newAnswer({ createdAt: 0, expiresAt: 100 + index })
        await tx.insertIdempotentAnswer(`scope ${index}`, answer)
      }
    })
    const remove = (now: number, limit: number) =>
      storage.transact((tx) => tx.deleteExpiredIdempotentAnswers(now, limit))
    assert.equal(await remove(103, 3), 3)
    assert.equal(await remove(103, 3), 1)
    assert.equal(await remove(103, 3), 0)
    assert.notEqual(await storage.findIdempotentAnswer('scope 4', 50), null)
    assert.equal(await storage.findIdempotentAnswer('scope 3', 50), null)
  })

  test('keeps announcements until they are made', async ({ storage, samples }) => {
    const { project, endpoint } = await samples.addPair()
    const gone = await samples.addEndpoint(project.id)
    const of = (values: Partial<Announcement>): Announcement => ({
      at: 100,
      kind: 'expired',
      projectId: project.id,
      endpointId: endpoint.id,
      rotationId: 'rot_1',
      secretId: 'sec_1',
      ...values,
    })
    const told: boolean[] = []
    storage.connect({ onCommitted: (changes) => void told.push(changes.hasAppointments) })
    assert.equal(await storage.nextAnnouncementAt(), null)
    const hour = of({ at: 50, kind: 'expiring_1h' })
    const expired = of({})
    const second = of({ rotationId: 'rot_2', at: 70 })
    await storage.transact(async (tx) => {
      await tx.replaceAnnouncements('rot_1', [expired, hour])
      await tx.replaceAnnouncements('rot_2', [second])
      await tx.replaceAnnouncements('rot_3', [of({ rotationId: 'rot_3', endpointId: gone.id })])
    })
    assert.deepEqual(told, [true])
    assert.equal(await storage.nextAnnouncementAt(), 50)
    assert.deepEqual(await storage.listDueAnnouncements(49, 10), [])
    assert.deepEqual(await storage.listDueAnnouncements(70, 10), [hour, second])
    assert.deepEqual(await storage.listDueAnnouncements(100, 1), [hour])
    const remove = (it: Announcement) => storage.transact((tx) => tx.deleteAnnouncement(it))
    assert.equal(await remove({ ...hour, at: 49 }), false, 'it was moved')
    assert.equal(await remove(hour), true)
    assert.equal(await remove(hour), false, 'it is gone')
    assert.deepEqual(await storage.listDueAnnouncements(70, 10), [second])
    const moved = of({ at: 40 })
    await storage.transact((tx) => tx.replaceAnnouncements('rot_1', [moved]))
    await storage.transact((tx) => tx.replaceAnnouncements('rot_2', []))
    await storage.transact((tx) => tx.deleteEndpoint(gone.id, 1))
    assert.deepEqual(await storage.listDueAnnouncements(1_000, 10), [moved])
    assert.equal(await storage.nextAnnouncementAt(), 40)
  })

  test('keeps a notebook', async (store) => {
    const value = new Uint8Array([0, 1, 255])
    assert.equal(await store.storage.getMeta('key'), null)
    await store.storage.transact((tx) => tx.setMeta('key', new Uint8Array([9])))
    await store.storage.transact((tx) => tx.setMeta('key', value))
    await store.reopen()
    assert.deepEqual(await store.storage.getMeta('key'), value)
  })

  test('shows no audit row of a deleted project', async ({ storage, samples }) => {
    const project = await samples.addProject()
    await storage.transact((tx) => tx.deleteProject(project.id, 1))
    assert.deepEqual((await storage.listAuditRows(project.id, {}, onePage)).items, [])
  })
}

function newAnswer(values: Partial<IdempotentAnswer>): IdempotentAnswer {
  return {
    bodyHash: 'ab'.repeat(32),
    statusCode: 200,
    contentType: 'application/json',
    headers: { 'x-should-retry': 'false' },
    body: new Uint8Array([123, 0, 125]),
    isSealed: false,
    createdAt: 0,
    expiresAt: 1_000,
    ...values,
  }
}
