import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import { repositoryRoot } from '../../../scripts/run-node.ts'
import type { Environment } from '../../src/config.ts'
import { startTestApp, type TestApp } from '../support/start-test-app.ts'

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync)

/** Why the tests of the console cannot run here, or false where they can. */
export const noBrowser: string | false =
  executablePath === undefined && 'no Chromium is installed in /usr/bin'

/** A server that serves a fresh build of the console, and a browser. */
export interface OpenConsole extends AsyncDisposable {
  test: TestApp
  /** A page in a context of its own: nothing is shared with other pages. */
  openPage(options?: PageOptions): Promise<ConsolePage>
}

export interface PageOptions {
  width?: number
  colorScheme?: 'light' | 'dark'
}

export interface ConsolePage {
  page: Page
  context: BrowserContext
  /** Errors and warnings of the browser's console, violations of the policy among them. */
  complaints: string[]
  /** Opens an address below `/console` and goes through the door with the root key. */
  enter(path: string): Promise<void>
  /** Opens an address below `/console` without a reload, as a link would. */
  go(path: string): Promise<void>
}

/** `environment` sets options of the server over those of the tests. */
export async function openConsole(environment: Environment = {}): Promise<OpenConsole> {
  const directory = await mkdtemp(join(tmpdir(), 'countersign-console-'))
  const outDir = join(directory, 'console')
  await build({
    root: join(repositoryRoot, 'console'),
    logLevel: 'error',
    build: { outDir, emptyOutDir: true },
  })
  const test = await startTestApp({
    consoleDirectory: outDir,
    environment: {
      COUNTERSIGN_RETRY_SCHEDULE: '50ms,50ms',
      COUNTERSIGN_PUBLIC_URL: 'https://webhooks.example',
      COUNTERSIGN_LOG_LEVEL: 'error',
      ...environment,
    },
  })
  const browser = await launch(join(directory, 'profile'))
  return {
    test,
    openPage: (options) => openPage(browser, test, options ?? {}),
    async [Symbol.asyncDispose]() {
      await browser.close()
      await test.dispose()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Only what stays on this machine: no updates, no services, no QUIC. */
function launch(profile: string): Promise<Browser> {
  const quiet = [
    ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
    ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
  ]
  return chromium.launch({
    executablePath: executablePath ?? '',
    args: quiet,
    env: { ...process.env, XDG_CONFIG_HOME: profile, XDG_CACHE_HOME: profile },
  })
}

async function openPage(
  browser: Browser,
  test: TestApp,
  { width = 1440, colorScheme = 'light' }: PageOptions,
): Promise<ConsolePage> {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme })
  context.setDefaultTimeout(15_000)
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (!/^(?:error|warning)$/.test(message.type())) return
    complaints.push(`${message.text()} at ${message.location().url}`)
  })
  page.on('pageerror', ({ message }) => complaints.push(message))
  return {
    page,
    context,
    complaints,
    async enter(path) {
      await page.goto(`${test.app.url}/console${path}`)
      await page.getByLabel('Key').fill(test.rootKey)
      await page.getByRole('button', { name: 'Open' }).click()
      await settle(page)
    },
    async go(path) {
      await follow(page, path)
      await settle(page)
    },
  }
}

/** Changes the address as a link would. What runs in the page is text here: this is no browser. */
export async function follow(page: Page, path: string): Promise<void> {
  const address = JSON.stringify(`/console${path}`)
  await page.evaluate(`history.pushState(null, '', ${address})`)
  await page.evaluate("dispatchEvent(new PopStateEvent('popstate'))")
  // The page before is still there until the next one is drawn.
  await page.evaluate('new Promise((next) => requestAnimationFrame(() => setTimeout(next)))')
}

/** Waits until a page stands there whole: its heading, and nothing that is still being read. */
export async function settle(page: Page): Promise<void> {
  await page.locator('#content h1').waitFor()
  await page.locator('.skeleton').first().waitFor({ state: 'detached' })
}

/** What axe finds wrong with what is shown: its serious and critical findings, as sentences. */
export async function seriousFindings(page: Page): Promise<string[]> {
  const path = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
  await page.evaluate(await readFile(path, 'utf8'))
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run(): Promise<AxeAnswer> } }
    const { violations } = await axe.run()
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`)
  })
}

interface AxeAnswer {
  violations: { id: string; impact: string; nodes: { html: string }[] }[]
}
