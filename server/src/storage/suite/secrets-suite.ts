import assert from 'node:assert/strict'
import type { Rotation } from '../../core/rotation.ts'
import type { StoreTest, StoreUnderTest } from '../storage-suite.ts'
import { readPages } from './pages-suite.ts'

export function secretsSuite(test: StoreTest): void {
  test('lists secrets by activation, newest first', async ({ storage, samples, clock }) => {
    const { endpoint } = await samples.addPair()
    const now = clock.now()
    const first = samples.secret(endpoint, {
      algorithm: 'ed25519',
      publicKey: 'whpk_1SiA',
      expiresAt: now + 5,
    })
    const staged = samples.secret(endpoint, { activatesAt: now + 100 })
    const second = samples.secret(endpoint)
    await storage.transact(async (tx) => {
      for (const secret of [first, staged, second]) await tx.insertSecret(secret)
    })
    assert.deepEqual(await storage.listSecrets(endpoint.id), [staged, second, first])
    assert.deepEqual(await storage.listSecrets('ep_other'), [])
  })

  test('changes only the times that are named', async ({ storage, samples }) => {
    const { endpoint } = await samples.addPair()
    const secret = samples.secret(endpoint)
    const read = async () => (await storage.listSecrets(endpoint.id))[0]
    await storage.transact((tx) => tx.insertSecret(secret))
    await storage.transact((tx) => tx.updateSecretTimes({ id: secret.id, expiresAt: 50 }))
    assert.deepEqual(await read(), { ...secret, expiresAt: 50 })
    await storage.transact((tx) => tx.updateSecretTimes({ id: secret.id, revokedAt: 60 }))
    assert.deepEqual(await read(), { ...secret, expiresAt: 50, revokedAt: 60 })
    await storage.transact((tx) => tx.updateSecretTimes({ id: secret.id, expiresAt: null }))
    assert.deepEqual(await read(), { ...secret, expiresAt: null, revokedAt: 60 })
  })

  test('latches an expiry once, and notes use without going back', async (store) => {
    const { storage, samples } = store
    const { endpoint } = await samples.addPair()
    const secret = samples.secret(endpoint)
    await storage.transact(async (tx) => {
      await tx.insertSecret(secret)
      await tx.latchExpiredSecrets([secret.id], 100)
      await tx.latchExpiredSecrets([secret.id], 200)
      await tx.touchSecrets([{ id: secret.id, at: 20 }])
      await tx.touchSecrets([{ id: secret.id, at: 10 }])
    })
    const [read] = await storage.listSecrets(endpoint.id)
    assert.deepEqual(read, { ...secret, expirySeenAt: 100, lastSignedAt: 20 })
  })

  test('keeps every member of a rotation, and changes the mutable ones', async (store) => {
    const { storage, samples } = store
    const { rotation, previous } = await addRotation(store)
    assert.deepEqual(await storage.getRotation(rotation.endpointId, rotation.id), rotation)
    assert.equal(await storage.getRotation('ep_other', rotation.id), null)
    const changed: Rotation = {
      ...rotation,
      previousSecretExpiresAt: null,
      windowEndsAt: 1,
      unclaimedWindowSeconds: 2,
      completeWhen: 'verified',
      capAt: 3,
      heldAt: 4,
      attention: 'not_verified',
      evidence: {
        verifiedAt: null,
        latest: {
          at: 6,
          cause: 'watch',
          verdict: 'failed',
          probes: {
            new_only: {
              verdict: 'fail',
              answers: [{ at: 6, statusCode: 401, error: 'http_status', durationMs: 1.5 }],
            },
          },
        },
        earlier: [{ at: 5, cause: 'verify', verdict: 'inconclusive' }],
      },
      watch: { nextAt: 7, lookedAt: 6, looks: 2, spike: { at: 5, answers: 3 } },
      notes: [...rotation.notes, { at: 5, what: 'x', actor: null, detail: 'y' }],
      outcome: { status: 'completed', completedBy: 'manual', closedAt: 9 },
    }
    await storage.transact((tx) => tx.updateRotation({ ...changed, reason: 'not this' }))
    assert.deepEqual(await storage.latestRotation(rotation.endpointId), changed)
    const cancelled: Rotation = {
      ...changed,
      outcome: { status: 'cancelled', completedBy: null, closedAt: 10 },
    }
    await storage.transact((tx) => tx.updateRotation(cancelled))
    assert.deepEqual(await storage.latestRotation(rotation.endpointId), cancelled)
    await storage.transact((tx) => tx.latchExpiredSecrets([previous.id], 77))
    const latched = await storage.getRotation(rotation.endpointId, rotation.id)
    assert.equal(latched?.previousSecretExpirySeenAt, 77)
    assert.equal(await storage.latestRotation((await samples.addPair()).endpoint.id), null)
  })

  test('finds the rotations to be looked at, until an act ends them', async (store) => {
    const { storage, clock } = store
    const now = clock.now()
    const told: boolean[] = []
    storage.connect({ onCommitted: (changes) => void told.push(changes.hasAppointments) })
    const watchAt = (nextAt: number | null) => ({
      watch: { nextAt, lookedAt: null, looks: 0, spike: null },
    })
    const { rotation: later } = await addRotation(store, watchAt(now + 5))
    const { rotation: due } = await addRotation(store, watchAt(now))
    await addRotation(store, watchAt(null))
    assert.ok(told.some(Boolean), 'whoever looks is woken')
    const ids = async (at: number) =>
      (await storage.listDueLooks(at, 10)).map(({ rotationId }) => rotationId)
    assert.deepEqual(await ids(now), [due.id])
    assert.deepEqual(await ids(now + 5), [due.id, later.id])
    assert.equal((await storage.listDueLooks(now + 5, 1)).length, 1)
    assert.equal(await storage.nextLookAt(), now)
    const outcome = { status: 'completed', completedBy: 'manual', closedAt: now } as const
    await storage.transact((tx) => tx.updateRotation({ ...due, outcome }))
    assert.deepEqual(await ids(now + 5), [later.id])
    await storage.transact((tx) => tx.updateRotation({ ...later, ...watchAt(null) }))
    assert.equal(await storage.nextLookAt(), null)
  })

  test('adds up what a receiver reports', async (store) => {
    const { storage } = store
    const { rotation, previous, next } = await addRotation(store)
    const report = (secretId: string, count: number, lastAt: number) =>
      storage.transact((tx) => tx.addReportedSecrets(rotation.id, [{ secretId, count, lastAt }]))
    await report(previous.id, 3, 30)
    await report(next.id, 1, 40)
    await report(previous.id, 2, 20)
    const read = await storage.getRotation(rotation.endpointId, rotation.id)
    const byId = new Map(read?.reported.map((each) => [each.secretId, each]))
    assert.deepEqual(byId.get(previous.id), { secretId: previous.id, count: 5, lastAt: 30 })
    assert.deepEqual(byId.get(next.id), { secretId: next.id, count: 1, lastAt: 40 })
    assert.deepEqual((await addRotation(store)).rotation.reported, [])
  })

  test('lists rotations newest first, even after the clock went back', async (store) => {
    const { storage, clock } = store
    const { rotation: first, endpoint } = await addRotation(store)
    clock.advance(-3_600_000)
    const { rotation: second } = await addRotation(store, { endpoint })
    assert.deepEqual(await storage.latestRotation(endpoint.id), second)
    const listed = await readPages(1, (page) => storage.listRotations(endpoint.id, page))
    assert.deepEqual(listed, [second, first])
  })

  test('finds the open rotations of every project', async (store) => {
    const { storage, clock } = store
    const now = clock.now()
    const { rotation: open } = await addRotation(store)
    const { rotation: endless } = await addRotation(store, { previousSecretExpiresAt: null })
    const { rotation: over } = await addRotation(store, { previousSecretExpiresAt: now })
    const { rotation: done } = await addRotation(store, {
      outcome: { status: 'completed', completedBy: 'cut', closedAt: now },
    })
    const { previous: latched } = await addRotation(store)
    const { endpoint: deleted } = await addRotation(store)
    await storage.transact(async (tx) => {
      await tx.latchExpiredSecrets([latched.id], now)
      await tx.deleteEndpoint(deleted.id, now)
    })
    const ids = async (at: number) => (await storage.listOpenRotations(at)).map(({ id }) => id)
    assert.deepEqual((await ids(now)).sort(), [open.id, endless.id].sort())
    assert.deepEqual((await ids(now - 1)).sort(), [open.id, endless.id, over.id].sort())
    assert.deepEqual(await ids(now + 90_000_000), [endless.id])
    await storage.transact((tx) => tx.updateRotation({ ...open, heldAt: now }))
    assert.deepEqual(await storage.countOpenRotations(now), { open: 2, held: 1 })
    assert.deepEqual(await storage.countOpenRotations(now + 90_000_000), { open: 1, held: 0 })
    assert.ok(!(await ids(0)).includes(done.id))
  })
}

async function addRotation(
  { storage, samples }: StoreUnderTest,
  given: Partial<Rotation> & { endpoint?: Awaited<ReturnType<typeof samples.addEndpoint>> } = {},
) {
  const { endpoint: givenEndpoint, ...values } = given
  const endpoint = givenEndpoint ?? (await samples.addPair()).endpoint
  const previous = samples.secret(endpoint)
  const next = samples.secret(endpoint)
  const rotation = samples.rotation(previous, next, values)
  await storage.transact(async (tx) => {
    await tx.insertSecret(previous)
    await tx.insertSecret(next)
    await tx.insertRotation(rotation)
  })
  return { endpoint, previous, next, rotation }
}
