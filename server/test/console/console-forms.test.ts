import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { until } from '../support/until.ts'
import { type ConsolePage, noBrowser, type OpenConsole, openConsole } from './open-console.ts'

/** One more than the largest page of a list. */
const manyEndpoints = 101
/** One more than a search by type looks through. */
const manyEvents = 1_001

describe('the forms and searches of the console', { skip: noBrowser }, () => {
  let open: OpenConsole
  let receiver: Receiver
  let view: ConsolePage
  let project: string

  before(async () => {
    open = await openConsole()
    receiver = await startReceiver()
    ;({ id: project } = await open.test.client.projects.create({ name: 'Acme', uid: 'acme' }))
    view = await open.openPage()
    await view.enter('/')
  })

  after(async () => {
    await receiver.close()
    await open[Symbol.asyncDispose]()
  })

  test('the overview counts every endpoint and finds every open rotation', async () => {
    const { client } = open.test
    const { id } = await client.projects.create({ name: 'Many' })
    const oldest = await client.endpoints.create(id, { url: `${receiver.url}/oldest` })
    receiver.secrets = [oldest.secret]
    await client.events.publish(id, { type: 'order.paid', data: {} })
    await until('the event is delivered', () => receiver.received.length === 1)
    for (let count = 1; count < manyEndpoints; count += 1) {
      await client.endpoints.create(id, { url: receiver.url, eventTypes: ['never'] })
    }
    await client.endpoints.rotateSecret(id, oldest.id)
    await view.go(`/projects/${id}`)
    const { page } = view
    const delivered = page.locator('.figures > div', { hasText: /^Delivered/ })
    assert.equal(await delivered.locator('dd').textContent(), '1')
    const rotations = page.getByRole('region', { name: 'Open rotations' })
    await rotations.getByRole('link', { name: /oldest/ }).waitFor()
    await page.getByRole('link', { name: 'All open' }).click()
    const rows = page.getByRole('region', { name: 'Endpoints' }).locator('tbody tr')
    await until('the list is filtered', async () => (await rows.count()) === 1)
  })

  test('changes the settings of a project', async () => {
    const { page } = view
    await view.go(`/projects/${project}/settings`)
    await page.getByRole('button', { name: 'Edit' }).click()
    await page.getByLabel('Delays of retries').fill('1m, soon')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText(/Must be 1 to 50 durations/).waitFor()
    await page.getByLabel('Delays of retries').fill('1m,5m')
    await page.getByLabel('Oldest secret, in days').fill('90')
    await page.getByLabel('A secret that is older is').selectOption('rotate')
    await page.getByLabel('Shortest overlap, in seconds').fill('3600')
    await page.getByLabel(/^Probe receivers by themselves/).check()
    await page.getByLabel(/^Name the secrets in deliveries/).check()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('1m, 5m').waitFor()
    await page.getByText('1 h', { exact: true }).waitFor()
    const { settings, name, uid } = await open.test.client.projects.get(project)
    assert.deepEqual([name, uid], ['Acme', 'acme'])
    assert.deepEqual(settings, {
      retrySchedule: '1m,5m',
      secretPolicy: { maxAgeDays: 90, action: 'rotate' },
      rotationBounds: { expireCurrentInMin: 3_600 },
      autoProbe: true,
      secretIdsInEveryFormat: true,
      revealSecretInReads: false,
    })
    await page.getByRole('button', { name: 'Edit' }).click()
    await page.getByLabel('Oldest secret, in days').fill('')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    const { settings: after } = await open.test.client.projects.get(project)
    assert.deepEqual(after.secretPolicy, { action: 'rotate' })
    assert.deepEqual(after.rotationBounds, { expireCurrentInMin: 3_600 })
  })

  test('sends the custom headers that an endpoint is given, and replaces only all of them', async () => {
    const { page } = view
    const { client } = open.test
    await view.go(`/projects/${project}/endpoints`)
    await page.getByRole('button', { name: 'New endpoint' }).first().click()
    await page.getByLabel('URL', { exact: true }).fill(`${receiver.url}/headers`)
    await page.getByLabel('Custom headers').fill('no header')
    await page.getByRole('button', { name: 'Create' }).click()
    await page.getByText(/is no header/).waitFor()
    await page.getByLabel('Custom headers').fill('x-tenant: seven\nAuthorization: Bearer a:b\n')
    await page.getByRole('button', { name: 'Create' }).click()
    await page.locator('.secret-box').waitFor()
    const id = /ep_[0-9a-f]{32}/.exec(page.url())?.[0] ?? ''
    const sentHeaders = async () => {
      const { deliveryId } = await client.endpoints.test(project, id)
      assert.ok(deliveryId)
      return receiver.received.at(-1)?.headers ?? {}
    }
    const first = await sentHeaders()
    assert.deepEqual([first['x-tenant'], first.authorization], ['seven', 'Bearer a:b'])

    await view.go(`/projects/${project}/endpoints/${id}?tab=settings`)
    const edit = async (change: () => Promise<void>) => {
      await page.getByRole('button', { name: 'Edit' }).click()
      await change()
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    }
    await edit(() => page.getByLabel('Description').fill('Still with headers'))
    assert.equal((await sentHeaders())['x-tenant'], 'seven')
    await edit(async () => {
      await page.getByLabel(/^Replace the custom headers/).check()
      await page.getByLabel('Custom headers', { exact: true }).fill('x-other: 1')
    })
    const last = await sentHeaders()
    assert.deepEqual([last['x-tenant'], last['x-other']], [undefined, '1'])
    assert.ok(!(await page.content()).includes('Bearer a:b'), 'a value is in the page')
  })

  test('stages a rotation to a secret that the operator brings along', async () => {
    const { page } = view
    const { client } = open.test
    const own = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
    const { id } = await client.endpoints.create(project, { url: `${receiver.url}/staged` })
    await view.go(`/projects/${project}/endpoints/${id}`)
    await page.getByRole('button', { name: 'Rotate the secret' }).click()
    await page.getByLabel(/^Stage it/).check()
    await page.getByLabel('Use a secret of my own').check()
    const rotate = page.getByRole('button', { name: 'Rotate', exact: true })
    assert.equal(await rotate.getAttribute('aria-disabled'), 'true')
    await page.getByLabel('Own secret', { exact: true }).fill(own)
    await rotate.click()
    await page.getByText('The new secret signs in', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Reveal' }).click()
    assert.equal(await page.locator('.secret-box code').textContent(), own)
    await page.getByRole('button', { name: /take it off/ }).click()
    assert.ok(!(await page.content()).includes(own), 'it is in the page after dismissal')
    const { rotation } = await client.endpoints.get(project, id)
    assert.equal(rotation?.status, 'staged')
    const aheadMs = Date.parse(rotation.activatesAt) - Date.now()
    assert.ok(aheadMs > 23 * 3_600_000 && aheadMs <= 24 * 3_600_000, `${aheadMs} ms ahead`)
  })

  test('says how far a search of events went, and opens an event by the caller’s own id', async () => {
    const { page } = view
    const { client } = open.test
    const { id } = await client.projects.create({ name: 'Busy' })
    await client.events.publish(id, { id: 'order-1', type: 'the.oldest', data: { found: true } })
    const events = Array.from({ length: manyEvents - 1 }, () => ({ type: 'order.paid', data: {} }))
    await client.events.publishBatch(id, events)
    await view.go(`/projects/${id}/events?type=oldest`)
    await page.getByText('None of the newest 1,000 events does.').waitFor()
    const all = page.getByRole('link', { name: 'Deliveries', exact: true }).last()
    assert.match((await all.getAttribute('href')) ?? '', /deliveries\?type=oldest$/)
    await view.go(`/projects/${id}/events`)
    await page.getByLabel('Id or type of an event').fill('order-1')
    await page.getByRole('button', { name: 'Find' }).click()
    await page.getByRole('link', { name: 'Open the event order-1' }).click()
    await page.getByText('"found": true').waitFor()
    await page.goBack()
    await view.go(`/projects/${id}/events?type=paid`)
    assert.equal(await page.getByLabel('Id or type of an event').inputValue(), 'paid')
    await page.getByText('These are the newest 100 that fit.').waitFor()
  })

  test('has made the browser complain of nothing but the refused form', () => {
    const unexpected = view.complaints.filter((text) => !/status of 422/.test(text))
    assert.deepEqual(unexpected, [])
  })
})
