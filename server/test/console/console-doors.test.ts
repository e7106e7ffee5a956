import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Route } from 'playwright-core'
import { follow, noBrowser, type OpenConsole, openConsole, settle } from './open-console.ts'

describe('the doors of the console', { skip: noBrowser }, () => {
  let open: OpenConsole
  let project: string
  let other: string
  let endpoint: string

  before(async () => {
    open = await openConsole()
    const { client } = open.test
    ;({ id: project } = await client.projects.create({ name: 'Acme' }))
    ;({ id: other } = await client.projects.create({ name: 'Other' }))
    ;({ id: endpoint } = await client.endpoints.create(project, { url: 'http://127.0.0.1:9/in' }))
    await client.endpoints.create(other, { url: 'http://127.0.0.1:9/not-yours' })
  })

  after(() => open[Symbol.asyncDispose]())

  test('a reload asks for the key again, and nothing keeps it', async () => {
    const { page, context, enter } = await open.openPage()
    await enter('/fleet')
    const kept = await page.evaluate<string>('JSON.stringify([localStorage, sessionStorage])')
    assert.ok(!kept.includes(open.test.rootKey))
    assert.ok(!page.url().includes('csk_'))
    assert.deepEqual(await context.cookies(), [])
    await page.reload()
    await page.getByRole('heading', { name: 'Open the console' }).waitFor()
    await context.close()
  })

  test('says that a key is wrong, and asks a project key for its project', async () => {
    const { page, context } = await open.openPage()
    await page.goto(`${open.test.app.url}/console/`)
    await page.getByLabel('Key').fill('csk_wrong')
    await page.getByRole('button', { name: 'Open' }).click()
    await page.getByText('The server does not know this key.').waitFor()
    const { key } = await open.test.client.apiKeys.create(project, { name: 'console' })
    await page.getByLabel('Key').fill(key)
    await page.getByRole('button', { name: 'Open' }).click()
    await page.getByLabel('Project').fill(project)
    await page.getByRole('button', { name: 'Open' }).click()
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    assert.equal(await page.getByRole('link', { name: 'Fleet' }).count(), 0)
    await context.close()
  })

  test('a portal link made in the console lets into one project, and no further', async () => {
    const operator = await open.openPage()
    await operator.enter(`/projects/${project}/api-keys`)
    await operator.page.getByRole('button', { name: 'Portal link' }).click()
    await operator.page.getByLabel('Who').fill('jo@customer.example')
    for (const scope of ['webhooks.write', 'deliveries.read', 'deliveries.write']) {
      await operator.page.getByLabel(scope).uncheck()
    }
    await operator.page.getByRole('button', { name: 'Make the link' }).click()
    await operator.page.getByRole('button', { name: 'Reveal' }).click()
    const link = (await operator.page.locator('.secret-box code').textContent()) ?? ''
    await operator.context.close()

    const { page, context, go } = await open.openPage()
    await page.goto(link)
    await settle(page)
    assert.equal(new URL(page.url()).hash, '')
    assert.equal(await page.evaluate('localStorage.length + sessionStorage.length'), 0)
    const ways = page.getByRole('navigation', { name: 'Pages' }).getByRole('link')
    assert.deepEqual(await ways.allTextContents(), ['Overview', 'Endpoints', 'Event types'])
    await go(`/projects/${project}/endpoints/${endpoint}`)
    await page.getByRole('button', { name: 'Rotate the secret' }).waitFor()
    assert.equal(await page.getByRole('button', { name: 'Pause' }).count(), 0)
    assert.equal(await page.getByRole('button', { name: 'Recover' }).count(), 0)
    for (const path of [
      `/projects/${other}/endpoints`,
      `/projects/${project}/events`,
      `/projects/${project}/deliveries`,
      `/projects/${project}/api-keys`,
      `/projects/${project}/audit-log`,
      '/fleet',
    ]) {
      await go(path)
      await page.getByText('This key may not do or see this.').first().waitFor()
      assert.ok(!(await page.content()).includes('not-yours'), path)
      assert.equal(await page.getByRole('button', { name: 'New campaign' }).count(), 0)
    }
    await context.close()
  })

  test('a session that is revoked ends at the door', async () => {
    const { client } = open.test
    const scopes = ['webhooks.read'] as const
    const session = await client.portalSessions.create(project, { scopes, actor: 'jo' })
    const { page, context } = await open.openPage()
    await page.goto(
      `${open.test.app.url}/console/projects/${project}/endpoints#token=${session.token}`,
    )
    await page.getByRole('link', { name: '127.0.0.1:9/in' }).waitFor()
    await client.portalSessions.revoke(project, session.id)
    await page.getByText('no longer accepted').waitFor()
    await context.close()
  })

  test('with a server that is slow, a page says so and goes on when it answers', async () => {
    const { page, context, enter } = await open.openPage()
    await enter('/')
    const { promise, resolve } = Promise.withResolvers<void>()
    await page.route('**/v1/**', async (route) => {
      await promise
      await route.continue()
    })
    await follow(page, `/projects/${project}/endpoints`)
    await page.getByText('The server is slow to answer.').waitFor()
    resolve()
    await page.getByRole('link', { name: '127.0.0.1:9/in' }).waitFor()
    await context.close()
  })

  for (const [trouble, answer, sentence] of troubles()) {
    test(`with a server that ${trouble}, each page says so and recovers by itself`, async () => {
      const { page, context, enter, go } = await open.openPage()
      await enter(`/projects/${project}`)
      for (const path of ['', '/endpoints', `/endpoints/${endpoint}`, '/deliveries', '/events']) {
        // A page that was seen before shows what it knew; one at a time begins without.
        await go('/')
        await page.route('**/v1/**', answer)
        await follow(page, `/projects/${project}${path}`)
        await page.getByText(sentence).first().waitFor()
        await page.unroute('**/v1/**', answer)
        await page.getByText(sentence).first().waitFor({ state: 'detached' })
        await settle(page)
      }
      await context.close()
    })
  }
})

type Trouble = [name: string, answer: (route: Route) => Promise<void>, sentence: RegExp]

function troubles(): Trouble[] {
  const problem = { code: 'internal_error', title: 'The server failed.', status: 500 }
  const failing = { status: 500, contentType: 'application/problem+json', json: problem }
  return [
    ['is stopped', (route) => route.abort('connectionrefused'), /cannot be reached/],
    ['answers 500', (route) => route.fulfill(failing), /The server failed/],
  ]
}
