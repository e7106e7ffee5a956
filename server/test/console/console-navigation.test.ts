import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Page } from 'playwright-core'
import { follow, noBrowser, type OpenConsole, openConsole, settle } from './open-console.ts'

describe('going about in the console', { skip: noBrowser }, () => {
  let open: OpenConsole
  let at: string
  let endpoints: string[]

  before(async () => {
    open = await openConsole()
    const { client } = open.test
    const { id } = await client.projects.create({ name: 'Acme' })
    at = `/projects/${id}`
    endpoints = []
    for (let count = 0; count < 40; count += 1) {
      const url = `http://127.0.0.1:9/in-${count}`
      endpoints.push((await client.endpoints.create(id, { url })).id)
    }
  })

  after(() => open[Symbol.asyncDispose]())

  const endpoint = (index: number) => `${at}/endpoints/${endpoints[index]}`
  const headingOf = (page: Page) => page.locator('#content h1').textContent()

  test('the focus goes back to where a dialog was opened from', async () => {
    const { page, context, enter } = await open.openPage()
    await enter(`${at}/endpoints`)
    await page.getByRole('button', { name: 'New endpoint' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    const focused = await page.evaluate<string>("document.activeElement?.textContent ?? ''")
    assert.equal(focused, 'New endpoint')
    await context.close()
  })

  test('another page begins at its top with the keyboard in it, and going back finds the place', async () => {
    const { page, context, enter } = await open.openPage()
    await enter(`${at}/endpoints`)
    await page.evaluate('scrollTo(0, 800)')
    await page.getByRole('link', { name: '127.0.0.1:9/in-2', exact: true }).click()
    await settle(page)
    assert.equal(await page.evaluate('document.activeElement?.id'), 'content')
    assert.equal(await page.evaluate('scrollY'), 0)
    await page.goBack()
    await settle(page)
    await page.waitForFunction('scrollY > 500')
    await context.close()
  })

  test('nothing of the page before is shown or asked at another address', async () => {
    const { page, context, enter, go } = await open.openPage()
    await enter(endpoint(0))
    await go(endpoint(1))
    await page.getByRole('button', { name: 'Rotate the secret' }).click()
    await page.goBack()
    await settle(page)
    assert.equal(await headingOf(page), '127.0.0.1:9/in-0')
    assert.equal(await page.getByRole('dialog').count(), 0)
    const { promise, resolve } = Promise.withResolvers<void>()
    await page.route('**/v1/**', async (route) => {
      await promise
      await route.continue()
    })
    await follow(page, endpoint(2))
    assert.equal(await headingOf(page), 'Endpoint')
    resolve()
    await page.getByRole('heading', { name: '127.0.0.1:9/in-2' }).waitFor()
    await context.close()
  })

  test('what was deleted elsewhere is said to be gone, and nothing can be done with it', async () => {
    const { page, context, enter } = await open.openPage()
    await enter(endpoint(3))
    const [, , project = ''] = at.split('/')
    await open.test.client.endpoints.delete(project, endpoints[3] ?? '')
    await page.getByText(/There is no endpoint ep_/).waitFor()
    assert.equal(await page.getByRole('button', { name: 'Rotate the secret' }).count(), 0)
    await context.close()
  })

  test('an address that names no part of an endpoint shows its first', async () => {
    const { page, context, enter } = await open.openPage()
    await enter(`${endpoint(0)}?tab=nothing`)
    await page.locator('.tabs a[aria-current=page]', { hasText: 'Deliveries' }).waitFor()
    await page.getByText('No delivery here').waitFor()
    await context.close()
  })

  test('a page whose script does not come says so, and opens when it does', async () => {
    const { page, context, enter } = await open.openPage()
    const script = /\/fleet-[^/]*\.js$/
    await page.route(script, (route) => route.abort('connectionrefused'))
    await enter('/')
    await follow(page, '/fleet')
    await page.getByText(/The server cannot be reached, so this page is not there yet/).waitFor()
    await page.unroute(script)
    await page.getByRole('heading', { name: 'Fleet' }).waitFor()
    await context.close()
  })

  test('what the server refuses is said where it was asked for', async () => {
    const { page, context, enter } = await open.openPage()
    await enter(endpoint(0))
    const problem = { code: 'conflict', title: 'Not now.', status: 409 }
    await page.route('**/v1/**', (route) => {
      if (route.request().method() !== 'PATCH') return route.continue()
      return route.fulfill({ status: 409, contentType: 'application/problem+json', json: problem })
    })
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByText('Not now.').waitFor()
    await follow(page, `${at}/events`)
    await page.getByRole('button', { name: 'Publish an event' }).first().click()
    await page.getByLabel('Type', { exact: true }).fill('order.paid')
    await page.getByLabel('Data, as JSON').fill('{"a": 1')
    await page.getByRole('button', { name: 'Publish', exact: true }).click()
    await page.getByText(/The data is no JSON/).waitFor()
    await context.close()
  })

  test('a page that breaks leaves the others whole', async () => {
    const { page, context, enter, go } = await open.openPage()
    await enter('/')
    const body = JSON.stringify({ data: [{}], has_more: false, next_cursor: null })
    await page.route('**/v1/fleet*', (route) =>
      route.fulfill({ status: 200, contentType: 'application/json', body }),
    )
    await follow(page, '/fleet')
    await page.getByRole('heading', { name: 'This page cannot be shown' }).waitFor()
    await page.getByRole('link', { name: 'Projects' }).click()
    await page.getByRole('link', { name: 'Acme' }).waitFor()
    await go(`${at}/endpoints`)
    assert.equal(await headingOf(page), 'Endpoints')
    await context.close()
  })
})
