import assert from 'node:assert/strict'
import type { CommittedChanges } from '../storage.ts'
import type { StoreTest } from '../storage-suite.ts'
import { onePage } from './pages-suite.ts'

export function transactionsSuite(test: StoreTest): void {
  test('reads its own writes; others see them after the commit', async (store) => {
    const { storage, samples } = store
    const project = samples.project()
    let seenInside: unknown
    const value = await storage.transact(async (tx) => {
      await tx.insertProject(project)
      seenInside = await storage.getProject(project.id)
      assert.deepEqual(await tx.getProject(project.id), project)
      return 'value'
    })
    assert.equal(value, 'value')
    assert.equal(seenInside, null)
    assert.deepEqual(await storage.getProject(project.id), project)
  })

  test('undoes a failed unit alone, beside units of the same turn', async (store) => {
    const { storage, samples } = store
    const [before, failed, after] = [samples.project(), samples.project(), samples.project()]
    const outcomes = await Promise.allSettled([
      storage.transact((tx) => tx.insertProject(before)),
      storage.transact(async (tx) => {
        await tx.insertProject(failed)
        await tx.insertEndpoint(samples.endpoint(failed.id))
        throw new RangeError('on purpose')
      }),
      storage.transact((tx) => tx.insertProject(after)),
    ])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.ok(outcomes[1].status === 'rejected' && outcomes[1].reason instanceof RangeError)
    assert.equal(await storage.getProject(failed.id), null)
    const { items } = await storage.listProjects(onePage)
    assert.deepEqual(items, [after, before])
  })

  test('goes on after a conflict that the unit handles', async ({ storage, samples }) => {
    await samples.addProject({ uid: 'acme' })
    const second = samples.project({ uid: 'acme' })
    await storage.transact(async (tx) => {
      await tx.insertProject(second).catch(() => tx.insertProject({ ...second, uid: 'acme-2' }))
    })
    assert.equal((await storage.getProject('acme-2'))?.id, second.id)
  })

  test('runs units of one turn in order', async ({ storage, samples }) => {
    const project = await samples.addProject()
    const bump = () =>
      storage.transact(async (tx) => {
        const current = await tx.getProject(project.id)
        assert.ok(current)
        await tx.updateProject({ ...current, name: `${current.name}+` })
      })
    await Promise.all([bump(), bump(), bump()])
    assert.equal((await storage.getProject(project.id))?.name, 'Acme+++')
  })

  test('forgets the subscriptions of an undone endpoint', async ({ storage, samples }) => {
    const { project } = await samples.addPair()
    const undone = storage.transact(async (tx) => {
      await tx.insertEndpoint(samples.endpoint(project.id))
      const [inside] = await tx.acceptEvents([samples.event(project.id)])
      assert.equal(inside?.deliveryCount, 2)
      throw new Error('on purpose')
    })
    const [, accepted] = await Promise.allSettled([
      undone,
      storage.acceptEvents([samples.event(project.id)]),
    ])
    assert.equal(accepted.status === 'fulfilled' && accepted.value[0]?.deliveryCount, 1)
    assert.equal((await samples.claimAll()).length, 1)
  })

  test('names what was changed', async (store) => {
    const { storage, samples, clock } = store
    const { project, endpoint } = await samples.addPair()
    const { told, release } = connectSlowly(store)
    release()
    const key = samples.apiKey(project.id)
    const secret = samples.secret(endpoint)
    const last = () => told.at(-1)
    const one = (set: ReadonlySet<string> | undefined) => [...(set ?? [])]
    await storage.transact((tx) => tx.insertApiKey(key))
    assert.deepEqual(one(last()?.apiKeyIds), [key.id])
    await storage.transact((tx) => tx.updateProject(project))
    assert.deepEqual(one(last()?.projectIds), [project.id])
    for (const write of [
      () => storage.transact((tx) => tx.insertSecret(secret)),
      () => storage.transact((tx) => tx.updateSecretTimes({ id: secret.id, expiresAt: 5 })),
      () => storage.transact((tx) => tx.latchExpiredSecrets([secret.id], 6)),
      () => storage.transact((tx) => tx.updateEndpoint(endpoint)),
    ]) {
      const count = told.length
      await write()
      assert.equal(told.length, count + 1)
      assert.deepEqual(one(last()?.endpointIds), [endpoint.id])
    }
    const count = told.length
    await storage.transact((tx) => tx.touchSecrets([{ id: secret.id, at: 1 }]))
    await storage.transact((tx) => tx.touchApiKeys([{ id: key.id, at: 1 }]))
    await storage.transact((tx) => tx.updateEndpointHealth(endpoint.id, endpoint))
    assert.equal(told.length, count)
    await storage.transact((tx) => tx.deleteProject(project.id, clock.now()))
    assert.deepEqual(one(last()?.projectIds), [project.id])
    assert.deepEqual(one(last()?.endpointIds), [endpoint.id])
    assert.deepEqual(one(last()?.apiKeyIds), [key.id])
  })

  test('answers a writer only when the consumers have applied the change', async (store) => {
    const { storage, samples } = store
    const { project, endpoint } = await samples.addPair()
    const { told, release } = connectSlowly(store)
    let isAnswered = false
    const answer = storage
      .transact((tx) => tx.updateEndpoint(endpoint))
      .then(() => {
        isAnswered = true
      })
    // What shares the commit, or comes beside or after it, does not wait for the consumer.
    await storage.acceptEvents([samples.event(project.id)])
    await storage.transact((tx) => tx.setMeta('a', new Uint8Array()))
    const isTold = () => told.some(({ endpointIds }) => endpointIds.has(endpoint.id))
    while (!isTold()) await new Promise((resolve) => setImmediate(resolve))
    assert.ok(told.some(({ hasDueDeliveries }) => hasDueDeliveries))
    assert.equal(isAnswered, false)
    release()
    await answer
  })

  test('writes what is queued, then closes', async (store) => {
    const { samples } = store
    const project = samples.project()
    const written = store.storage.transact((tx) => tx.insertProject(project))
    await store.reopen()
    await written
    assert.deepEqual(await store.storage.getProject(project.id), project)
  })

  test('refuses everything once it is closed', async ({ storage, samples }) => {
    await storage.close()
    const isUnavailable = { name: 'StorageUnavailableError' }
    await assert.rejects(storage.getProject('x'), isUnavailable)
    await assert.rejects(storage.acceptEvents([samples.event('x')]), isUnavailable)
    await assert.rejects(
      storage.transact((tx) => tx.setMeta('a', new Uint8Array())),
      isUnavailable,
    )
    await assert.rejects(storage.ping(), isUnavailable)
  })

  test('answers a ping', async ({ storage }) => {
    await storage.ping()
  })
}

/** Connects a consumer that has applied nothing until it is released. */
function connectSlowly({ storage }: { storage: { connect: ConnectStorage } }) {
  const told: CommittedChanges[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  storage.connect({
    onCommitted(changes) {
      told.push(changes)
      return promise
    },
  })
  return { told, release: resolve }
}

type ConnectStorage = (consumers: { onCommitted(changes: CommittedChanges): Promise<void> }) => void
