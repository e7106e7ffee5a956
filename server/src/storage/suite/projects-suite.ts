import assert from 'node:assert/strict'
import { StorageConflictError } from '../storage.ts'
import type { StoreTest } from '../storage-suite.ts'
import { onePage, readPages } from './pages-suite.ts'

export function projectsSuite(test: StoreTest): void {
  test('finds a project by id and by uid', async ({ storage, samples }) => {
    const project = await samples.addProject({
      uid: 'acme',
      name: 'Acme 😀',
      settings: { retryScheduleMs: [1, 2], rotationBounds: { expireCurrentInMinSeconds: 5 } },
    })
    assert.deepEqual(await storage.getProject(project.id), project)
    assert.deepEqual(await storage.getProject('acme'), project)
    assert.equal(await storage.getProject('other'), null)
  })

  test('changes a project and gives its old uid back', async ({ storage, samples }) => {
    const project = await samples.addProject({ uid: 'acme' })
    const changed = { ...project, uid: 'new', name: 'New', settings: { retryScheduleMs: [1] } }
    await storage.transact((tx) => tx.updateProject({ ...changed, updatedAt: 7 }))
    assert.deepEqual(await storage.getProject('new'), { ...changed, updatedAt: 7 })
    assert.equal(await storage.getProject('acme'), null)
    await samples.addProject({ uid: 'acme' })
  })

  test('refuses a uid that is in use', async ({ storage, samples }) => {
    await samples.addProject({ uid: 'acme' })
    const other = await samples.addProject({ uid: null })
    await samples.addProject({ uid: null })
    const isTaken = { constraint: 'project_uid' } satisfies Partial<StorageConflictError>
    await assert.rejects(samples.addProject({ uid: 'acme' }), isTaken)
    await assert.rejects(
      storage.transact((tx) => tx.updateProject({ ...other, uid: 'acme' })),
      (error) => error instanceof StorageConflictError && error.constraint === 'project_uid',
    )
  })

  test('lists projects newest first, stable under inserts', async ({ storage, samples }) => {
    const made = []
    for (let index = 0; index < 7; index += 1) made.unshift(await samples.addProject())
    const first = await storage.listProjects({ limit: 3, after: null })
    await samples.addProject()
    const rest = await readPages(3, ({ limit, after }) =>
      storage.listProjects({ limit, after: after ?? first.nextKey }),
    )
    assert.deepEqual([...first.items, ...rest], made)
    assert.deepEqual(await storage.listProjects({ limit: 8, after: null }), {
      items: (await storage.listProjects(onePage)).items,
      hasMore: false,
      nextKey: null,
    })
  })

  test('hides a deleted project with everything in it', async (store) => {
    const { storage, samples, clock } = store
    const project = await samples.addProject({ uid: 'acme' })
    const endpoint = await samples.addEndpoint(project.id, { uid: 'main' })
    const key = samples.apiKey(project.id)
    const secret = samples.secret(endpoint)
    await storage.transact(async (tx) => {
      await tx.insertApiKey(key)
      await tx.insertSecret(secret)
    })
    const [event] = await samples.publish(project.id)
    const [delivery] = await samples.claimAll()
    clock.advance(5)
    await storage.transact((tx) => tx.deleteProject(project.id, clock.now()))

    const { id } = project
    assert.equal(await storage.getProject(id), null)
    assert.equal(await storage.getProject('acme'), null)
    assert.deepEqual((await storage.listProjects(onePage)).items, [])
    assert.equal(await storage.findApiKeyByHash(key.hash), null)
    assert.equal(await storage.getApiKey(id, key.id), null)
    assert.deepEqual((await storage.listApiKeys(id, onePage)).items, [])
    assert.equal(await storage.getEndpoint(id, 'main'), null)
    assert.equal(await storage.countEndpoints(id), 0)
    assert.equal(await storage.getEvent(id, event?.id ?? ''), null)
    assert.deepEqual((await storage.listEvents(id, onePage)).items, [])
    assert.equal(await storage.getDelivery(id, delivery?.id ?? ''), null)
    assert.deepEqual((await storage.listDeliveries(id, {}, onePage)).items, [])
    assert.equal((await storage.getEndpointById(endpoint.id))?.deletedAt, clock.now())
    const [wiped] = await storage.listSecrets(endpoint.id)
    assert.equal(wiped?.sealedValue, null)
    assert.equal(wiped?.revokedAt, clock.now())
    await samples.addProject({ uid: 'acme' })
  })

  test('keeps keys, finds them by hash, and lists them', async ({ storage, samples }) => {
    const project = await samples.addProject()
    const other = await samples.addProject()
    const keys = [samples.apiKey(project.id, { dialect: 'dinie' }), samples.apiKey(project.id)]
    await storage.transact(async (tx) => {
      for (const key of keys) await tx.insertApiKey(key)
      await tx.insertApiKey(samples.apiKey(other.id))
    })
    const [first, second] = keys
    assert.ok(first && second)
    assert.deepEqual(await storage.findApiKeyByHash(first.hash), first)
    assert.deepEqual(await storage.getApiKey(project.id, second.id), second)
    assert.equal(await storage.getApiKey(other.id, second.id), null)
    const listed = await readPages(1, (page) => storage.listApiKeys(project.id, page))
    assert.deepEqual(listed, [second, first])
  })

  test('changes a key, and notes its last use without going back', async (store) => {
    const { storage, samples } = store
    const project = await samples.addProject()
    const key = samples.apiKey(project.id)
    await storage.transact((tx) => tx.insertApiKey(key))
    await storage.transact(async (tx) => {
      await tx.updateApiKey({ ...key, name: 'renamed', expiresAt: 5, revokedAt: 6 })
      await tx.touchApiKeys([{ id: key.id, at: 20 }])
      await tx.touchApiKeys([{ id: key.id, at: 10 }])
    })
    assert.deepEqual(await storage.findApiKeyByHash(key.hash), {
      ...key,
      name: 'renamed',
      expiresAt: 5,
      revokedAt: 6,
      lastUsedAt: 20,
    })
  })
}
