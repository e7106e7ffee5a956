import assert from 'node:assert/strict'
import { systemActor } from '../../core/authorization.ts'
import type { Campaign } from '../../core/campaign.ts'
import type { FleetFilter } from '../storage.ts'
import type { StoreTest, StoreUnderTest } from '../storage-suite.ts'
import { readPages } from './pages-suite.ts'

const DAY_MS = 86_400_000

export function campaignsSuite(test: StoreTest): void {
  test('lists the fleet by the age of the newest secrets, oldest first', async (store) => {
    const { storage, samples, clock } = store
    const first = await addEndpoint(store)
    clock.advance(1)
    const second = await addEndpoint(store)
    clock.advance(1)
    const third = await addEndpoint(store)
    const gone = await addEndpoint(store)
    await storage.transact((tx) => tx.deleteEndpoint(gone.endpoint.id, clock.now()))
    const next = samples.secret(first.endpoint)
    const rotation = samples.rotation(first.secret, next)
    await storage.transact(async (tx) => {
      await tx.insertSecret(next)
      await tx.updateSecretTimes({ id: first.secret.id, expiresAt: clock.now() + DAY_MS })
      await tx.insertRotation(rotation)
    })
    const all = await readPages(1, (page) => storage.listFleet(anyOf(store), page))
    const ids = all.map(({ secretId }) => secretId)
    // The last two were made in the same instant: the order of insertion decides.
    assert.deepEqual(ids, [second.secret.id, third.secret.id, next.id])
    assert.deepEqual(all[2]?.rotation, rotation)
    assert.deepEqual(all[0], {
      projectId: second.project.id,
      projectName: second.project.name,
      policyOverride: undefined,
      endpointId: second.endpoint.id,
      endpointUid: null,
      url: second.endpoint.url,
      format: 'standard',
      unverifyingSince: null,
      secretId: second.secret.id,
      algorithm: 'hmac-sha256',
      secretCreatedAt: second.secret.createdAt,
      overAgeToldAt: null,
      rotation: null,
    })
    assert.deepEqual((await storage.listFleet(anyOf(store), { limit: 5, after: 'x' })).items, [])
  })

  test('narrows the fleet by each member of the filter', async (store) => {
    const { storage, clock } = store
    const old = await addEndpoint(store)
    clock.advance(DAY_MS)
    const young = await addEndpoint(store, { algorithm: 'ed25519' })
    await storage.transact((tx) => tx.markUnverifying(young.endpoint.id, clock.now()))
    const ids = async (filter: Partial<FleetFilter>) => {
      const page = await storage.listFleet(
        { ...anyOf(store), ...filter },
        { limit: 9, after: null },
      )
      return page.items.map(({ endpointId }) => endpointId)
    }
    const [oldId, youngId] = [old.endpoint.id, young.endpoint.id]
    assert.deepEqual(await ids({}), [oldId, youngId])
    assert.deepEqual(await ids({ projectIds: [young.project.id, 'prj_x'] }), [youngId])
    assert.deepEqual(await ids({ endpointIds: [oldId] }), [oldId])
    assert.deepEqual(await ids({ algorithm: 'ed25519' }), [youngId])
    assert.deepEqual(await ids({ createdUntil: clock.now() - DAY_MS }), [oldId])
    assert.deepEqual(await ids({ blocker: 'unverifying' }), [youngId])
    assert.deepEqual(await ids({ isOverAge: true }), [])
    assert.deepEqual(await ids({ isOverAge: true, defaultMaxAgeDays: 1 }), [oldId])
    assert.deepEqual(await ids({ blocker: 'over_age', defaultMaxAgeDays: 2 }), [])
  })

  test('a project overrides the age of the instance, also with none', async (store) => {
    const { storage, clock } = store
    const strict = await addEndpoint(store)
    const free = await addEndpoint(store)
    await addEndpoint(store)
    const settle = (project: typeof strict.project, maxAgeDays: number | null) =>
      storage.transact((tx) =>
        tx.updateProject({ ...project, settings: { secretPolicy: { maxAgeDays } } }),
      )
    await settle(strict.project, 1)
    await settle(free.project, null)
    clock.advance(DAY_MS)
    const count = (defaultMaxAgeDays: number | null) =>
      storage.countOverAge({ now: clock.now(), defaultMaxAgeDays })
    assert.deepEqual([await count(null), await count(2), await count(1)], [1, 1, 2])
    clock.advance(DAY_MS)
    assert.equal(await count(2), 2)
    await storage.transact((tx) => tx.noteOverAge(strict.secret.id, 77))
    const page = await storage.listFleet(
      { ...anyOf(store), isOverAge: true },
      { limit: 9, after: null },
    )
    assert.deepEqual(
      page.items.map(({ secretId, overAgeToldAt }) => [secretId, overAgeToldAt]),
      [[strict.secret.id, 77]],
    )
  })

  test('finds open rotations that are held, unclaimed or want attention', async (store) => {
    const { storage, samples, clock } = store
    const expected: Record<string, string> = {}
    const values = {
      rotation_held: { heldAt: clock.now() },
      rotation_attention: { attention: 'not_verified' },
      rotation_unclaimed: { unclaimedWindowSeconds: 60 },
    } as const
    for (const [blocker, value] of Object.entries(values)) {
      const { endpoint, secret } = await addEndpoint(store)
      const next = samples.secret(endpoint)
      const end = clock.now() + DAY_MS
      await storage.transact(async (tx) => {
        await tx.updateSecretTimes({ id: secret.id, expiresAt: end })
        await tx.insertSecret(next)
        await tx.insertRotation(
          samples.rotation(secret, next, { ...value, previousSecretExpiresAt: end }),
        )
      })
      expected[blocker] = endpoint.id
    }
    const ids = async (blocker: keyof typeof values) => {
      const filter = { ...anyOf(store), blocker }
      const page = await storage.listFleet(filter, { limit: 9, after: null })
      return page.items.map(({ endpointId }) => endpointId)
    }
    for (const blocker of Object.keys(values) as (keyof typeof values)[]) {
      assert.deepEqual(await ids(blocker), [expected[blocker]])
    }
    clock.advance(DAY_MS)
    assert.deepEqual(await ids('rotation_held'), [], 'its window is over')
  })

  test('keeps campaigns with a row for each endpoint, over a restart', async (store) => {
    const { storage, clock } = store
    const endpoints = [await addEndpoint(store), await addEndpoint(store)]
    const { project } = await addEndpoint(store)
    const campaign = newCampaign(store)
    const ids = endpoints.map(({ endpoint }) => endpoint.id)
    const filter = { ...anyOf(store), endpointIds: ids }
    assert.equal(await storage.transact((tx) => tx.insertCampaign(campaign, filter)), 2)
    await store.reopen()
    assert.deepEqual(await store.storage.getCampaign(campaign.id), campaign)
    const work = await store.storage.listCampaignWork(campaign.id, clock.now(), 5)
    assert.deepEqual(
      work.map(({ endpointId, state }) => [endpointId, state]),
      ids.map((id) => [id, 'pending']),
    )
    assert.notEqual(work[0]?.projectId, project.id)
    assert.equal(await store.storage.getCampaign('cmp_x'), null)
    assert.equal(await store.storage.getCampaignEndpoint(campaign.id, 'ep_x'), null)
    const second = newCampaign(store)
    await store.storage.transact((tx) => tx.insertCampaign(second, anyOf(store)))
    const listed = await readPages(1, (page) => store.storage.listCampaigns(page))
    assert.deepEqual(listed, [second, campaign])
  })

  test('gives pending endpoints first, blocked ones when their time has come', async (store) => {
    const { storage, clock } = store
    for (let count = 0; count < 3; count += 1) await addEndpoint(store)
    const campaign = newCampaign(store)
    await storage.transact((tx) => tx.insertCampaign(campaign, anyOf(store)))
    const [first, second, third] = await storage.listCampaignWork(campaign.id, 0, 9)
    assert.ok(first && second && third)
    const refusal = { code: 'rotation_in_progress', detail: 'open' }
    const nextTryAt = clock.now() + 10
    const blocked = { ...first, state: 'blocked', refusal, nextTryAt } as const
    const skipped = { ...second, state: 'skipped', refusal } as const
    await storage.transact(async (tx) => {
      await tx.updateCampaignEndpoint(blocked)
      await tx.updateCampaignEndpoint(skipped)
    })
    const work = (at: number) => storage.listCampaignWork(campaign.id, at, 9)
    assert.deepEqual(await work(clock.now()), [third])
    assert.deepEqual(await work(nextTryAt), [third, blocked])
    assert.deepEqual(await storage.getCampaignEndpoint(campaign.id, second.endpointId), skipped)
    const list = (filter: object) =>
      readPages(1, (page) => storage.listCampaignEndpoints(campaign.id, filter, page))
    assert.deepEqual(await list({}), [third, skipped, blocked])
    assert.deepEqual(await list({ state: 'blocked' }), [blocked])
    const { states } = await storage.campaignProgress(campaign.id, clock.now())
    assert.deepEqual(states, { pending: 1, rotated: 0, blocked: 1, skipped: 1 })
  })

  test('finds running campaigns whose time has come, and changes them', async (store) => {
    const { storage, clock } = store
    const now = clock.now()
    const told: boolean[] = []
    storage.connect({ onCommitted: (changes) => void told.push(changes.hasAppointments) })
    const campaign = { ...newCampaign(store), nextAt: now + 0.5 }
    await storage.transact((tx) => tx.insertCampaign(campaign, anyOf(store)))
    assert.deepEqual(told, [true])
    assert.deepEqual(await storage.listDueCampaigns(now, 9), [])
    assert.deepEqual(await storage.listDueCampaigns(now + 1, 9), [campaign])
    const paused: Campaign = { ...campaign, status: 'paused', updatedAt: now + 1, closedAt: null }
    await storage.transact((tx) => tx.updateCampaign(paused))
    assert.deepEqual(await storage.listDueCampaigns(now + 1, 9), [])
    assert.deepEqual(await storage.getCampaign(campaign.id), paused)
    assert.deepEqual(told, [true], 'what is paused waits for nothing')
    await storage.transact((tx) => tx.updateCampaign(campaign))
    assert.deepEqual(told, [true, true])
  })

  test('takes one rotation of a campaign for each endpoint, and tells what became of it', async (store) => {
    const { storage, samples, clock } = store
    const { endpoint, secret } = await addEndpoint(store)
    const next = samples.secret(endpoint)
    const campaign = newCampaign(store)
    const made = (values: object) =>
      samples.rotation(secret, next, { campaignId: campaign.id, ...values })
    const end = clock.now() + 100
    await storage.transact(async (tx) => {
      await tx.insertCampaign(campaign, anyOf(store))
      await tx.insertSecret(next)
      await tx.insertRotation(made({ previousSecretExpiresAt: end, unclaimedWindowSeconds: 5 }))
    })
    await assert.rejects(storage.transact((tx) => tx.insertRotation(made({}))))
    const progress = async () =>
      (await storage.campaignProgress(campaign.id, clock.now())).rotations
    const none = { open: 0, completed: 0, cancelled: 0, held: 0, attention: 0, unclaimed: 0 }
    assert.deepEqual(await progress(), { ...none, open: 1, unclaimed: 1 })
    clock.advance(100)
    assert.deepEqual(await progress(), { ...none, completed: 1 })
  })
}

function anyOf({ clock }: StoreUnderTest): FleetFilter {
  return { now: clock.now(), defaultMaxAgeDays: null }
}

async function addEndpoint(store: StoreUnderTest, values: object = {}) {
  const { storage, samples } = store
  const { project, endpoint } = await samples.addPair()
  const secret = samples.secret(endpoint, values)
  await storage.transact((tx) => tx.insertSecret(secret))
  return { project, endpoint, secret }
}

function newCampaign({ samples, clock }: StoreUnderTest): Campaign {
  return {
    id: samples.id('cmp'),
    status: 'running',
    filter: { olderThanDays: 3 },
    rotation: {
      deliver: 'claim_link',
      activateAt: null,
      expireCurrentInSeconds: 60,
      completeWhen: 'expiry',
      reason: 'quarterly',
    },
    perMinute: 60,
    nextAt: clock.now(),
    actor: systemActor,
    createdAt: clock.now(),
    updatedAt: clock.now(),
    closedAt: null,
  }
}
