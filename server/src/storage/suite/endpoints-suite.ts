import assert from 'node:assert/strict'
import type { StoreTest } from '../storage-suite.ts'
import { onePage, readPages } from './pages-suite.ts'

export function endpointsSuite(test: StoreTest): void {
  test('keeps every member of an endpoint', async ({ storage, samples, clock }) => {
    const project = await samples.addProject()
    const endpoint = await samples.addEndpoint(project.id, {
      uid: 'main',
      description: 'Zwölf Boxkämpfer 😀',
      eventTypes: ['order.*', 'user.created'],
      state: 'disabled',
      blockedAt: clock.now(),
      blockedReason: 'nothing succeeded',
      signingEnabled: false,
      format: 'github',
      headerNames: ['X-B', 'X-A'],
      sealedHeaders: new Uint8Array([0, 255, 7]),
      metadata: { nested: { list: [1, null] } },
      rateLimitPerSecond: 2.5,
      createdBy: { type: 'key', id: 'key_1', name: 'server' },
      health: 'blocked',
      consecutiveFailures: 12,
      lastSuccessAt: 1,
      lastFailureAt: 2,
      failingSince: 3,
      rejectionsInARow: 4,
      rejectingSince: 5,
      lastRejectionAt: 6,
      unverifyingSince: 7,
    })
    assert.deepEqual(await storage.getEndpoint(project.id, endpoint.id), endpoint)
    assert.deepEqual(await storage.getEndpoint(project.id, 'main'), endpoint)
    assert.deepEqual(await storage.getEndpointById(endpoint.id), endpoint)
  })

  test('finds an endpoint in its own project only', async ({ storage, samples }) => {
    const { project, endpoint } = await samples.addPair()
    const other = await samples.addProject()
    await samples.addEndpoint(other.id)
    assert.equal(await storage.getEndpoint(other.id, endpoint.id), null)
    assert.equal(await storage.countEndpoints(project.id), 1)
    assert.deepEqual((await storage.listEndpoints(project.id, {}, onePage)).items, [endpoint])
  })

  test('changes everything but health, and health alone', async ({ storage, samples }) => {
    const { project, endpoint } = await samples.addPair()
    const changed = {
      ...endpoint,
      uid: 'renamed',
      url: 'https://example.org/',
      description: 'moved',
      eventTypes: ['a.b'],
      state: 'disabled' as const,
      metadata: { a: 1 },
      rateLimitPerSecond: 5,
      sealedHeaders: new Uint8Array([9]),
      headerNames: ['X-C'],
      updatedAt: 99,
    }
    await storage.transact((tx) => tx.updateEndpoint({ ...changed, consecutiveFailures: 77 }))
    assert.deepEqual(await storage.getEndpoint(project.id, 'renamed'), changed)

    const health = {
      health: 'failing' as const,
      consecutiveFailures: 5,
      lastSuccessAt: 10,
      lastFailureAt: 11,
      failingSince: 9,
      rejectionsInARow: 2,
      rejectingSince: 12,
      lastRejectionAt: 13,
    }
    await storage.transact((tx) => tx.updateEndpointHealth(endpoint.id, health))
    assert.deepEqual(await storage.getEndpointById(endpoint.id), { ...changed, ...health })

    await storage.transact((tx) => tx.markUnverifying(endpoint.id, 55))
    const marked = { ...changed, ...health, unverifyingSince: 55 }
    assert.deepEqual(await storage.getEndpointById(endpoint.id), marked)
    await storage.transact((tx) => tx.markUnverifying(endpoint.id, null))
    assert.deepEqual(await storage.getEndpointById(endpoint.id), { ...changed, ...health })
  })

  test('reads what sending takes of several endpoints at once', async ({ storage, samples }) => {
    const { project, endpoint } = await samples.addPair()
    const quiet = await samples.addEndpoint(project.id)
    const settings = { ...project.settings, retryScheduleMs: [5, 10], secretIdsInEveryFormat: true }
    const { endpoint: gone } = await samples.addPair()
    const older = samples.secret(endpoint, { activatesAt: 1 })
    const newer = samples.secret(endpoint, { activatesAt: 2 })
    await storage.transact(async (tx) => {
      await tx.updateProject({ ...project, settings })
      await tx.insertSecret(older)
      await tx.insertSecret(newer)
      await tx.insertSecret(samples.secret(endpoint, { revokedAt: 3 }))
      await tx.insertSecret(samples.secret(endpoint, { expirySeenAt: 3 }))
      await tx.deleteEndpoint(gone.id, 7)
    })
    const ids = [endpoint.id, 'ep_unknown', quiet.id, gone.id]
    const records = await storage.listSenderEndpoints(ids)
    const recordOf = (id: string) => records.find((record) => record.endpoint.id === id)
    assert.equal(records.length, 3)
    assert.deepEqual(recordOf(endpoint.id), {
      endpoint,
      secrets: [newer, older],
      retryScheduleMs: [5, 10],
      secretIdsInEveryFormat: true,
    })
    assert.deepEqual(recordOf(quiet.id)?.secrets, [])
    assert.equal(recordOf(gone.id)?.endpoint.deletedAt, 7)
    assert.equal(recordOf(gone.id)?.retryScheduleMs, null)
    assert.equal(recordOf(gone.id)?.secretIdsInEveryFormat, false)
    assert.deepEqual(await storage.listSenderEndpoints([]), [])
  })

  test('refuses a uid that is in use in the project', async ({ storage, samples }) => {
    const project = await samples.addProject()
    const other = await samples.addProject()
    const first = await samples.addEndpoint(project.id, { uid: 'main' })
    const second = await samples.addEndpoint(project.id)
    await samples.addEndpoint(other.id, { uid: 'main' })
    const isTaken = { name: 'StorageConflictError', constraint: 'endpoint_uid' }
    await assert.rejects(samples.addEndpoint(project.id, { uid: 'main' }), isTaken)
    const renamed = { ...second, uid: 'main' }
    await assert.rejects(
      storage.transact((tx) => tx.updateEndpoint(renamed)),
      isTaken,
    )
    await storage.transact((tx) => tx.deleteEndpoint(first.id, 1))
    await storage.transact((tx) => tx.updateEndpoint(renamed))
    assert.equal((await storage.getEndpoint(project.id, 'main'))?.id, second.id)
  })

  test('lists by state, health and search, newest first', async ({ storage, samples }) => {
    const project = await samples.addProject()
    const add = samples.addEndpoint
    const a = await add(project.id, { url: 'https://example.com/Orders', uid: 'A-1' })
    const b = await add(project.id, { description: 'ÜBERSICHT 100%', state: 'disabled' })
    const c = await add(project.id, { health: 'failing' })
    const list = async (filter: Parameters<typeof storage.listEndpoints>[1]) =>
      (await readPages(1, (page) => storage.listEndpoints(project.id, filter, page))).map(
        ({ id }) => id,
      )
    assert.deepEqual(await list({}), [c.id, b.id, a.id])
    assert.deepEqual(await list({ state: 'active' }), [c.id, a.id])
    assert.deepEqual(await list({ health: 'failing' }), [c.id])
    assert.deepEqual(await list({ search: 'orders' }), [a.id])
    assert.deepEqual(await list({ search: 'a-1' }), [a.id])
    assert.deepEqual(await list({ search: 'übersicht 100%' }), [b.id])
    assert.deepEqual(await list({ search: '_00' }), [])
    assert.deepEqual(await list({ search: 'EXAMPLE', state: 'disabled' }), [b.id])
    const found = { ...a, description: 'now übersicht too' }
    await storage.transact((tx) => tx.updateEndpoint(found))
    assert.deepEqual(await list({ search: 'ÜBERSICHT' }), [b.id, a.id])
  })

  test('lists the endpoints whose rotation is open', async ({ storage, samples, clock }) => {
    const project = await samples.addProject()
    const now = clock.now()
    const addRotating = async (until: number | null) => {
      const endpoint = await samples.addEndpoint(project.id)
      const previous = samples.secret(endpoint, { expiresAt: until })
      const next = samples.secret(endpoint)
      await storage.transact(async (tx) => {
        await tx.insertSecret(previous)
        await tx.insertSecret(next)
        await tx.insertRotation(
          samples.rotation(previous, next, { previousSecretExpiresAt: until, outcome: null }),
        )
      })
      return endpoint.id
    }
    await samples.addEndpoint(project.id)
    const open = await addRotating(now + 10)
    const untilProof = await addRotating(null)
    const over = await addRotating(now)
    const idsAt = async (rotatingAt: number) =>
      (await readPages(1, (page) => storage.listEndpoints(project.id, { rotatingAt }, page))).map(
        ({ id }) => id,
      )
    assert.deepEqual(await idsAt(now), [untilProof, open])
    assert.deepEqual(await idsAt(now - 1), [over, untilProof, open])
    assert.deepEqual(await idsAt(now + 10), [untilProof])
    assert.equal(await storage.countEndpoints(project.id, { rotatingAt: now }), 2)
  })

  test('wipes a deleted endpoint and hides it', async ({ storage, samples, clock }) => {
    const { project, endpoint: kept } = await samples.addPair()
    const endpoint = await samples.addEndpoint(project.id, { sealedHeaders: new Uint8Array([1]) })
    const now = clock.now()
    const live = samples.secret(endpoint)
    const staged = samples.secret(endpoint, { activatesAt: now + 1000 })
    const expired = samples.secret(endpoint, { expiresAt: now - 1 })
    const revoked = samples.secret(endpoint, { revokedAt: now - 5 })
    const foreign = samples.secret(kept)
    await storage.transact(async (tx) => {
      for (const secret of [live, staged, expired, revoked, foreign]) await tx.insertSecret(secret)
    })
    await storage.transact((tx) => tx.deleteEndpoint(endpoint.id, now + 5))

    assert.equal(await storage.getEndpoint(project.id, endpoint.id), null)
    assert.equal(await storage.countEndpoints(project.id), 1)
    assert.deepEqual((await storage.listEndpoints(project.id, {}, onePage)).items, [kept])
    const deleted = await storage.getEndpointById(endpoint.id)
    assert.equal(deleted?.deletedAt, now + 5)
    assert.equal(deleted?.sealedHeaders, null)
    const secrets = await storage.listSecrets(endpoint.id)
    assert.ok(secrets.every(({ sealedValue }) => sealedValue === null))
    const revokedAt = (id: string) => secrets.find((secret) => secret.id === id)?.revokedAt
    assert.deepEqual(
      [live, staged, expired, revoked].map(({ id }) => revokedAt(id)),
      [now + 5, now + 5, null, now - 5],
    )
    assert.deepEqual(await storage.listSecrets(kept.id), [foreign])
  })
}
