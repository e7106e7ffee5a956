import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { repositoryRoot } from '../../../scripts/run-node.ts'
import { type Receiver, startReceiver } from '../support/receiver.ts'
import { until } from '../support/until.ts'
import {
  noBrowser,
  type OpenConsole,
  openConsole,
  type PageOptions,
  seriousFindings,
  settle,
} from './open-console.ts'

/** Where the screenshots of a run are found afterwards. */
const screenshots = join(repositoryRoot, 'console', 'screenshots')

const views: readonly Required<PageOptions>[] = [
  { width: 1440, colorScheme: 'light' },
  { width: 1440, colorScheme: 'dark' },
  { width: 360, colorScheme: 'light' },
  { width: 360, colorScheme: 'dark' },
]

/** A row that is higher breaks its ids apart. */
const rowPixelsMax = 120

describe('every page of the console', { skip: noBrowser }, () => {
  let open: OpenConsole
  let receiver: Receiver
  let pages: Record<string, string>

  before(async () => {
    await mkdir(screenshots, { recursive: true })
    open = await openConsole()
    receiver = await startReceiver()
    pages = await furnish(open, receiver)
  })

  after(async () => {
    await receiver.close()
    await open[Symbol.asyncDispose]()
  })

  for (const view of views) {
    const name = `${view.colorScheme} at ${view.width} pixels`
    test(`${name}: axe finds nothing serious, nothing overflows, no complaint`, async () => {
      const { page, context, complaints, enter, go } = await open.openPage(view)
      await enter('/')
      for (const [title, path] of Object.entries(pages)) {
        await go(path)
        await page.screenshot({
          path: join(screenshots, `${title}-${view.colorScheme}-${view.width}.png`),
        })
        assert.deepEqual(await seriousFindings(page), [], title)
        await assertRoom(page, title)
      }
      assert.deepEqual(complaints, [])
      await context.close()
    })
  }

  test('names that are long, or run from right to left, stay in their places', async () => {
    const { client } = open.test
    const name = `שלום مرحبا 🎉 ${'a long name '.repeat(8)}`
    const { id: project } = await client.projects.create({ name })
    await client.apiKeys.create(project, { name })
    const { id: endpoint } = await client.endpoints.create(project, {
      url: `${receiver.url}/${'a-long-part-of-a-path/'.repeat(40)}`,
      uid: 'u'.repeat(60),
      description: name,
    })
    const { rotation } = await client.endpoints.rotateSecret(project, endpoint, { reason: name })
    const { page, context, enter, go } = await open.openPage({ width: 360 })
    await enter('/')
    const at = `/projects/${project}`
    const places = ['', '/endpoints', '/api-keys', `/endpoints/${endpoint}`]
    for (const place of ['/', ...places.map((path) => `${at}${path}`)]) {
      await go(place)
      await assertRoom(page, place)
    }
    await go(`${at}/endpoints/${endpoint}/rotations/${rotation.id}`)
    await assertRoom(page, 'rotation')
    await page.getByRole('button', { name: 'Cut now' }).click()
    const hasRoom = await page
      .getByRole('dialog')
      .evaluate(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)
    assert.ok(hasRoom, 'the dialog is wider than its frame')
    await context.close()
  })

  test('the door and its dialogs pass axe too', async () => {
    const { page, context, enter, go } = await open.openPage({ width: 360, colorScheme: 'dark' })
    await page.goto(`${open.test.app.url}/console/`)
    await page.getByLabel('Key').waitFor()
    assert.deepEqual(await seriousFindings(page), [])
    await enter('/')
    await go(pages.endpoint ?? '')
    await page.getByRole('button', { name: 'Rotate the secret' }).click()
    assert.deepEqual(await seriousFindings(page), [])
    await context.close()
  })

  test('each address can be opened by itself, and the file it starts with is small', async () => {
    const { page, context, enter } = await open.openPage()
    let scriptBytes = 0
    page.on('response', async (response) => {
      if (!/\/index-[^/]+\.js$/.test(response.url())) return
      scriptBytes = Number((await response.request().sizes()).responseBodySize)
    })
    await enter(pages.rotation ?? '')
    await page.getByText('Which secrets sign, and when').waitFor()
    await until('the script has arrived', () => scriptBytes > 0)
    assert.ok(scriptBytes < 250_000, `${scriptBytes} bytes`)
    await context.close()
  })

  test('a whole rotation is done by keyboard alone', async () => {
    const { page, context, enter } = await open.openPage()
    const press = async (name: RegExp) => {
      for (let steps = 0; steps < 80; steps += 1) {
        await page.keyboard.press('Tab')
        const text = await page.evaluate<string>("document.activeElement?.textContent ?? ''")
        if (name.test(text)) return page.keyboard.press('Enter')
      }
      assert.fail(`${name} cannot be reached by Tab`)
    }
    await enter(pages.quietEndpoint ?? '')
    await press(/^Rotate the secret$/)
    await page.getByRole('dialog').waitFor()
    await press(/^Rotate$/)
    await page.locator('.secret-box').waitFor()
    await settle(page)
    await press(/^Reveal$/)
    await page.getByText('whsec_').waitFor()
    await press(/take it off/)
    await press(/^Complete$/)
    await page.getByRole('dialog').waitFor()
    await press(/^Complete$/)
    await page.getByText('The old secret has stopped (manual).').waitFor()
    await context.close()
  })
})

/** Nothing is wider than the screen, no row breaks apart, no heading takes the page. */
async function assertRoom(page: Page, title: string): Promise<void> {
  const hasRoom = await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')
  assert.ok(hasRoom, `${title} is wider than the screen`)
  const highest = (selector: string) =>
    page.evaluate<number>(
      `Math.max(0, ...[...document.querySelectorAll('${selector}')].map((one) => one.clientHeight))`,
    )
  const rowPixels = await highest('tr')
  assert.ok(rowPixels <= rowPixelsMax, `${title} has a row of ${rowPixels} pixels`)
  const headingPixels = await highest('h1')
  assert.ok(headingPixels <= rowPixelsMax, `${title} has a heading of ${headingPixels} pixels`)
}

/** A project with something on every page; the answer is the pages' addresses by name. */
async function furnish({ test: { client } }: OpenConsole, receiver: Receiver) {
  const { id: project } = await client.projects.create({ name: 'Acme Robotics', uid: 'acme' })
  const { id: endpoint, secret } = await client.endpoints.create(project, {
    url: receiver.url,
    description: 'Order management',
  })
  await client.eventTypes.define(project, 'order.paid', {
    description: 'An order was paid.',
    schema: { type: 'object', properties: { order: { type: 'integer' } }, required: ['order'] },
  })
  await client.apiKeys.create(project, { name: 'billing' })
  const { id: event } = await client.events.publish(project, {
    type: 'order.paid',
    data: { order: 1 },
  })
  await until('the first event is delivered', () => receiver.received.length === 1)
  receiver.answer = () => ({ statusCode: 500, body: 'broken' })
  await client.events.publish(project, { type: 'order.shipped', data: { order: 1 } })
  await until('a delivery has failed', async () => {
    const { data } = await client.deliveries.list(project, { status: 'failed' }).page()
    return data.length === 1
  })
  receiver.answer = () => ({ statusCode: 204 })
  const { data } = await client.deliveries.list(project, { status: 'failed' }).page()
  const rotated = await client.endpoints.rotateSecret(project, endpoint)
  const { rotation } = rotated
  receiver.secrets = [secret, rotated.secret]
  await client.rotations.verify(project, endpoint, rotation.id)
  const campaign = await client.campaigns.create({ perMinute: 1, deliver: 'claim_link' })
  await client.campaigns.cancel(campaign.id)
  // After the campaign, which begins at once: it has not been rotated.
  const quiet = await client.endpoints.create(project, {
    url: `${receiver.url}/quiet`,
    eventTypes: ['nothing'],
  })
  const at = `/projects/${project}`
  return {
    projects: '/',
    overview: at,
    endpoints: `${at}/endpoints`,
    endpoint: `${at}/endpoints/${endpoint}`,
    secrets: `${at}/endpoints/${endpoint}?tab=secrets`,
    numbers: `${at}/endpoints/${endpoint}?tab=stats`,
    trials: `${at}/endpoints/${endpoint}?tab=trials`,
    settings: `${at}/endpoints/${endpoint}?tab=settings`,
    rotation: `${at}/endpoints/${endpoint}/rotations/${rotation.id}`,
    quietEndpoint: `${at}/endpoints/${quiet.id}`,
    deliveries: `${at}/deliveries`,
    delivery: `${at}/deliveries/${data[0]?.id}`,
    live: `${at}/live`,
    events: `${at}/events`,
    event: `${at}/events/${event}`,
    eventTypes: `${at}/event-types`,
    apiKeys: `${at}/api-keys`,
    auditLog: `${at}/audit-log`,
    projectSettings: `${at}/settings`,
    fleet: '/fleet',
    campaign: `/campaigns/${campaign.id}`,
  }
}
