import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { until } from '../support/until.ts'
import { type ConsolePage, noBrowser, type OpenConsole, openConsole } from './open-console.ts'

describe('the console tells the whole story', { skip: noBrowser }, () => {
  let open: OpenConsole
  let receiver: Receiver
  let view: ConsolePage
  let project: string

  before(async () => {
    open = await openConsole()
    receiver = await startReceiver()
    ;({ id: project } = await open.test.client.projects.create({ name: 'Acme', uid: 'acme' }))
    view = await open.openPage()
  })

  after(async () => {
    await receiver.close()
    await open[Symbol.asyncDispose]()
  })

  test('creates an endpoint, shows its secret once, and nothing keeps it', async () => {
    const { page } = view
    await view.enter(`/projects/${project}/endpoints`)
    await page.getByRole('button', { name: 'New endpoint' }).first().click()
    await page.getByLabel('URL', { exact: true }).fill(receiver.url)
    await page.getByRole('button', { name: 'Create' }).click()
    const secret = await takeSecret(view)
    assert.match(secret, /^whsec_/)
    receiver.secrets = [secret]
    assert.ok(!(await page.content()).includes(secret), 'it is in the page after dismissal')
    const kept = await page.evaluate<string>('JSON.stringify([localStorage, sessionStorage])')
    assert.ok(!kept.includes(secret) && !kept.includes(open.test.rootKey))
    assert.ok(!page.url().includes(secret))
    assert.deepEqual(await view.context.cookies(), [])
  })

  test('shows deliveries as they arrive, fail, and are sent again', async () => {
    const { page } = view
    const { events } = open.test.client
    await events.publish(project, { type: 'order.paid', data: { order: 1 } })
    await page.getByRole('row', { name: /order\.paid delivered/ }).waitFor()

    receiver.answer = () => ({ statusCode: 500, body: 'broken' })
    await events.publish(project, { type: 'order.lost', data: { order: 2 } })
    await page.getByRole('row', { name: /order\.lost failed 500/ }).waitFor()
    await page.getByRole('link', { name: 'order.lost' }).click()
    await page.getByText('broken').first().waitFor()
    await page
      .getByText(/Signed with/)
      .first()
      .waitFor()
    await page.goBack()

    receiver.answer = () => ({ statusCode: 204 })
    await page.getByRole('button', { name: 'Recover', exact: true }).click()
    await page.getByRole('button', { name: 'Send again' }).click()
    await page.getByRole('row', { name: /order\.lost delivered/ }).waitFor()
  })

  test('rotates, sees probes fail, and the rotation complete by itself once they pass', async () => {
    const { page } = view
    await page.getByRole('button', { name: 'Rotate the secret' }).click()
    await page.getByLabel('It ends').selectOption('verified')
    await page.getByRole('button', { name: 'Rotate', exact: true }).click()
    const secret = await takeSecret(view)
    await page.getByText('The receiver refuses the new secret.').waitFor()
    await page.getByText('needs you').waitFor({ state: 'attached' })

    receiver.secrets = [...receiver.secrets, secret]
    const [endpoint = '', rotation = ''] = idsIn(page.url())
    await open.test.client.rotations.verify(project, endpoint, rotation)
    await page.getByText('The old secret has stopped (verified).').waitFor()
    await page.getByText('Proved: the receiver takes the new secret').waitFor()
    receiver.secrets = [secret]
  })

  test('cancels another rotation', async () => {
    const { page } = view
    const [endpoint = ''] = idsIn(page.url())
    await view.go(`/projects/${project}/endpoints/${endpoint}`)
    await page.getByRole('button', { name: 'Rotate the secret' }).click()
    await page.getByRole('button', { name: 'Rotate', exact: true }).click()
    await takeSecret(view)
    await page.getByRole('button', { name: 'Cancel', exact: true }).click()
    await page.getByRole('button', { name: 'Roll back' }).click()
    await page.getByText('Cancelled: the old secret stayed.').waitFor()
    const { rotation } = await open.test.client.endpoints.get(project, endpoint)
    assert.equal(rotation, null)
  })

  test('cuts only after the endpoint was named', async () => {
    const { page } = view
    const [endpoint = ''] = idsIn(page.url())
    const { endpoints } = open.test.client
    const { rotation, secret } = await endpoints.rotateSecret(project, endpoint)
    receiver.secrets = [...receiver.secrets, secret]
    await view.go(`/projects/${project}/endpoints/${endpoint}/rotations/${rotation.id}`)
    await page.getByRole('button', { name: 'Cut now' }).click()
    const dialog = page.getByRole('dialog')
    const cut = dialog.getByRole('button', { name: 'Cut now' })
    await cut.click({ force: true })
    assert.equal(await cut.getAttribute('aria-disabled'), 'true')
    const { status } = await open.test.client.rotations.get(project, endpoint, rotation.id)
    assert.equal(status, 'overlapping')
    await dialog.getByLabel(/^Type /).fill(new URL(receiver.url).host)
    await cut.click()
    await page.getByText('The old secret has stopped (manual).').waitFor()
  })

  test('hands a secret over by a claim link, and makes a new link', async () => {
    const { page } = view
    const [endpoint = ''] = idsIn(page.url())
    await view.go(`/projects/${project}/endpoints/${endpoint}`)
    await page.getByRole('button', { name: 'Rotate the secret' }).click()
    await page.getByLabel(/claim link/).check()
    await page.getByRole('button', { name: 'Rotate', exact: true }).click()
    const first = await takeSecret(view)
    assert.match(first, /^https:\/\/webhooks\.example\/claim#/)
    await page.getByRole('button', { name: 'New claim link' }).click()
    assert.notEqual(await takeSecret(view), first)
    await page.getByRole('button', { name: 'Cancel', exact: true }).click()
    await page.getByRole('button', { name: 'Roll back' }).click()
    await page.getByText('Cancelled: the old secret stayed.').waitFor()
  })

  test('shows that a rotation is held without a reload', async (t) => {
    const { page } = view
    const { client } = open.test
    const { id } = await client.projects.create({ name: 'Held' })
    const strict = await startReceiver()
    t.after(async () => {
      await strict.close()
      // The page asks for the rotation as long as it shows it.
      await view.go('/')
      // The campaign below is to find the endpoints of the story alone.
      await client.projects.delete(id)
    })
    const endpoint = await client.endpoints.create(id, { url: strict.url })
    strict.secrets = [endpoint.secret]
    await client.projects.update(id, { settings: { autoProbe: true } })
    await client.events.publish(id, { type: 'order.paid', data: {} })
    await until('one is delivered', () => strict.deliveredIds.size === 1)
    await view.go(`/projects/${id}/endpoints/${endpoint.id}`)
    await page.getByRole('button', { name: 'Rotate the secret' }).click()
    await page.getByRole('button', { name: 'Rotate', exact: true }).click()
    await takeSecret(view)
    await page.evaluate('globalThis.isSamePage = true')
    assert.equal(await page.getByText('held', { exact: true }).count(), 0)
    strict.secrets = [`whsec_${Buffer.alloc(32, 5).toString('base64')}`]
    for (let count = 0; count < 3; count += 1) {
      await client.events.publish(id, { type: 'order.paid', data: {} })
    }
    await page.getByText(/the receiver refuses the new secret, so the old one/).waitFor()
    assert.equal(await page.evaluate('globalThis.isSamePage'), true)
  })

  test('publishes an event by hand, finds it, and shows it live until it is paused', async () => {
    const { page } = view
    await view.go(`/projects/${project}/events`)
    await page.getByRole('button', { name: 'Publish an event' }).first().click()
    await page.getByLabel('Type', { exact: true }).fill('made.by.hand')
    await page.getByRole('button', { name: 'Publish', exact: true }).click()
    await page.getByRole('row', { name: /made\.by\.hand delivered/ }).waitFor()
    await view.go(`/projects/${project}/events?type=by.hand`)
    await page.getByRole('row', { name: /made\.by\.hand/ }).waitFor()
    assert.equal(await page.getByRole('row', { name: /order\.paid/ }).count(), 0)

    const { events } = open.test.client
    await view.go(`/projects/${project}/live`)
    await events.publish(project, { type: 'seen.live', data: {} })
    await page.getByRole('row', { name: /seen\.live delivered/ }).waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    await events.publish(project, { type: 'not.seen', data: {} })
    await page.getByText('paused', { exact: true }).waitFor()
    assert.equal(await page.getByRole('row', { name: /not\.seen/ }).count(), 0)
    await page.getByRole('button', { name: 'Go on' }).click()
    await page.getByRole('row', { name: /not\.seen/ }).waitFor()
  })

  test('says within three clicks why an endpoint fails and when a secret expires', async () => {
    const { page } = view
    const { client } = open.test
    const url = `${receiver.url}/failing`
    const created = await client.endpoints.create(project, { url, eventTypes: ['will.fail'] })
    await client.endpoints.rotateSecret(project, created.id)
    receiver.secrets = [...receiver.secrets, created.secret]
    receiver.answer = () => ({ statusCode: 503, body: 'closed for repairs' })
    for (const order of [1, 2]) {
      await client.events.publish(project, { type: 'will.fail', data: { order } })
    }
    await view.go(`/projects/${project}`)
    const attention = page.getByRole('region', { name: 'Endpoints that need attention' })
    await attention.getByRole('link', { name: /failing/ }).click()
    await page.getByText('The last answer was 503.').waitFor()
    await page.getByText(/The old one stops/).waitFor()
    await page.getByRole('button', { name: 'Send lost events again' }).waitFor()
    await page.getByRole('link', { name: 'See the attempt' }).click()
    await page.getByText('closed for repairs').first().waitFor()
    receiver.answer = () => ({ statusCode: 204 })
  })

  test('runs a campaign', async () => {
    const { page } = view
    await view.go('/fleet')
    await page.getByRole('button', { name: 'New campaign' }).click()
    await page.getByLabel('Which endpoints').selectOption('all')
    await page.getByLabel('Endpoints a minute').fill('600')
    await page.getByRole('button', { name: 'Begin' }).click()
    await page.getByText('1 of 2, 1 blocked').waitFor()
    await page.getByRole('row', { name: /rotated/ }).waitFor()
    await page.getByRole('button', { name: 'Stop for good' }).click()
    await page.getByRole('button', { name: 'Stop', exact: true }).click()
    await page.getByText('cancelled', { exact: true }).first().waitFor()
  })

  test('has made the browser complain of nothing', () => {
    assert.deepEqual(view.complaints, [])
  })
})

/** Reveals what is shown once, copies it, and takes it off the page. */
async function takeSecret({ page }: ConsolePage): Promise<string> {
  const box = page.locator('.secret-box')
  assert.match((await box.locator('code').textContent()) ?? '', /•/, 'hidden until asked for')
  await box.getByRole('button', { name: 'Reveal' }).click()
  const shown = (await box.locator('code').textContent()) ?? ''
  await box.getByRole('button', { name: 'Copy' }).click()
  await box.getByText('Copied.').waitFor()
  assert.equal(await page.evaluate('navigator.clipboard.readText()'), shown)
  await box.getByRole('button', { name: /take it off/ }).click()
  await box.waitFor({ state: 'detached' })
  return shown
}

function idsIn(url: string): string[] {
  return url.match(/(?:ep|rot)_[0-9a-f]{32}/g) ?? []
}
