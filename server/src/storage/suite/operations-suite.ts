import assert from 'node:assert/strict'
import type { EventTypeDefinition } from '../../core/event-type-definition.ts'
import type { PortalSession } from '../../core/portal-session.ts'
import type { CommittedChanges } from '../storage.ts'
import type { StoreTest } from '../storage-suite.ts'
import { onePage } from './pages-suite.ts'

/** Catalogue, portal sessions, rotated keys: what operators keep. */
export function operationsSuite(test: StoreTest): void {
  test('finds a rotated key by either value', async ({ storage, samples, clock }) => {
    const project = await samples.addProject()
    const key = samples.apiKey(project.id)
    await storage.transact((tx) => tx.insertApiKey(key))
    const rotated = {
      ...key,
      hint: 'wxyz',
      hash: 'new-hash',
      previousHash: key.hash,
      previousExpiresAt: clock.now() + 60_000,
    }
    await storage.transact((tx) => tx.updateApiKey(rotated))
    assert.deepEqual(await storage.findApiKeyByHash('new-hash'), rotated)
    assert.deepEqual(await storage.findApiKeyByHash(key.hash), rotated)
    const cut = { ...rotated, hash: 'newest', previousHash: null, previousExpiresAt: null }
    await storage.transact((tx) => tx.updateApiKey(cut))
    assert.deepEqual(await storage.findApiKeyByHash('newest'), cut)
    assert.equal(await storage.findApiKeyByHash('new-hash'), null)
    assert.equal(await storage.findApiKeyByHash(key.hash), null)
  })

  test('keeps event types at two levels, and tells of changes', async (store) => {
    const { storage, samples, clock } = store
    const changes: CommittedChanges[] = []
    storage.connect({ onCommitted: (change) => void changes.push(change) })
    const project = await samples.addProject()
    const definition = (projectId: string | null, name: string): EventTypeDefinition => ({
      projectId,
      name,
      description: `About ${name}`,
      schema: '{"type":"object"}',
      isDeprecated: false,
      createdAt: clock.now(),
      updatedAt: clock.now(),
    })
    const common = definition(null, 'order.paid')
    const own = definition(project.id, 'order.paid')
    await storage.transact(async (tx) => {
      await tx.putEventType(common)
      await tx.putEventType(own)
      await tx.putEventType(definition(project.id, 'order.sent'))
    })
    assert.deepEqual([...(changes.at(-1)?.eventTypeProjectIds ?? [])].sort(), ['', project.id])
    assert.deepEqual(await storage.getEventType(null, 'order.paid'), common)
    assert.deepEqual(await storage.getEventType(project.id, 'order.paid'), own)
    assert.equal(await storage.getEventType(null, 'order.sent'), null)
    const { items } = await storage.listEventTypes(project.id, onePage)
    assert.deepEqual(
      items.map(({ name }) => name),
      ['order.sent', 'order.paid'],
    )
    clock.advance(1000)
    const changed = {
      ...own,
      description: null,
      schema: null,
      isDeprecated: true,
      createdAt: clock.now(),
      updatedAt: clock.now(),
    }
    await storage.transact((tx) => tx.putEventType(changed))
    assert.deepEqual(await storage.getEventType(project.id, 'order.paid'), {
      ...changed,
      createdAt: own.createdAt,
    })
    const remove = () => storage.transact((tx) => tx.deleteEventType(project.id, 'order.paid'))
    assert.equal(await remove(), true)
    assert.equal(await remove(), false)
    assert.equal(await storage.getEventType(project.id, 'order.paid'), null)
    assert.deepEqual(await storage.getEventType(null, 'order.paid'), common)
  })

  test('keeps portal sessions until they are old', async ({ storage, samples, clock }) => {
    const project = await samples.addProject()
    const session = (expiresInMs: number): PortalSession => ({
      id: samples.id('pts'),
      projectId: project.id,
      actor: 'ada',
      scopes: ['webhooks.read'],
      hash: samples.id('pts'),
      createdBy: { type: 'key', id: 'key_1', name: 'one' },
      keyHash: samples.id('key'),
      createdAt: clock.now(),
      expiresAt: clock.now() + expiresInMs,
      revokedAt: null,
    })
    const short = session(1000)
    const long = session(60_000)
    await storage.transact(async (tx) => {
      await tx.insertPortalSession(short)
      await tx.insertPortalSession(long)
    })
    assert.deepEqual(await storage.findPortalSessionByHash(short.hash), short)
    assert.deepEqual(await storage.getPortalSession(project.id, long.id), long)
    assert.equal(await storage.getPortalSession('prj_other', long.id), null)
    await storage.transact((tx) => tx.revokePortalSession(long.id, clock.now()))
    assert.equal((await storage.findPortalSessionByHash(long.hash))?.revokedAt, clock.now())
    clock.advance(2000)
    const clean = () => storage.transact((tx) => tx.deleteOldPortalSessions(clock.now(), 10))
    assert.equal(await clean(), 1)
    assert.equal(await clean(), 0)
    assert.equal(await storage.findPortalSessionByHash(short.hash), null)
    await storage.transact((tx) => tx.deleteProject(project.id, clock.now()))
    assert.equal(await storage.findPortalSessionByHash(long.hash), null)
  })
}
