import { createHmac } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Countersign } from '@countersign/sdk'
import type { TestApp } from './start-test-app.ts'
import { rightReceiver, startTriedReceiver, type TriedReceiver } from './wrong-receivers.ts'

/** What the examples of the help speak of: a project, its endpoints, files, and ids. */
export interface ExampleWorld {
  environment: Record<string, string>
  /** Prepares what the line names, in a folder of its own, and gives the line with real values. */
  prepare(line: string): Promise<{ line: string; directory: string }>
  dispose(): Promise<void>
}

const project = 'acme'
const secrets = [
  'whsec_dGVzdC1zZWNyZXQtMDEyMzQ1Njc4OWFiY2RlZg==',
  'whsec_YW5vdGhlci1zZWNyZXQtMDEyMzQ1Njc4OWFiY2RlZg==',
] as const

export async function createExampleWorld(test: TestApp): Promise<ExampleWorld> {
  const { client } = test
  const receiver = await startTriedReceiver(rightReceiver(secrets))
  const failing = await startTriedReceiver(async () => ({ status: 500 }))
  await client.projects.create({ name: 'Acme', uid: project })
  const directories: string[] = []
  return {
    environment: {
      COUNTERSIGN_URL: test.app.url,
      COUNTERSIGN_API_KEY: test.rootKey,
      COUNTERSIGN_PROJECT: project,
    },
    async prepare(line) {
      const directory = mkdtempSync(join(tmpdir(), 'countersign-example-'))
      directories.push(directory)
      await writeFiles(directory, test, line)
      for (const name of endpointNames) {
        if (line.includes(` ${name}`)) await renewEndpoint(client, name, receiver)
      }
      if (/claim\.link/.test(line)) await writeClaim(client, directory, receiver, line)
      if (/projects delete old/.test(line))
        await client.projects.create({ name: 'Old', uid: 'old' })
      if (/order\.(?:kept|old)/.test(line)) await defineTypes(client)
      return {
        line: await withValues(line, client, { receiver, failing, test, directory }),
        directory,
      }
    },
    async dispose() {
      await receiver[Symbol.asyncDispose]()
      await failing[Symbol.asyncDispose]()
      for (const directory of directories) rmSync(directory, { recursive: true, force: true })
    },
  }
}

const endpointNames = [
  ...['billing', 'orders', 'leaked', 'shared', 'rotating', 'waiting', 'brief', 'old'],
] as const

/** Anew for each line, so that no example depends on what one before it did. */
async function renewEndpoint(
  client: Countersign,
  uid: (typeof endpointNames)[number],
  receiver: TriedReceiver,
): Promise<void> {
  await client.endpoints.delete(project, uid).catch(() => undefined)
  await client.endpoints.create(project, { url: receiver.url, uid, secret: secrets[0] })
  const { endpoints } = client
  const secret = secrets[1]
  if (uid === 'billing') await endpoints.rotateSecret(project, uid, { expireCurrentIn: 0, secret })
  if (uid === 'rotating' || uid === 'leaked') await endpoints.rotateSecret(project, uid, { secret })
  if (uid === 'waiting') await endpoints.rotateSecret(project, uid, { deliver: 'claim_link' })
  if (uid === 'brief') await endpoints.rotateSecret(project, uid, { expireCurrentIn: 1 })
}

async function writeClaim(
  client: Countersign,
  directory: string,
  receiver: TriedReceiver,
  line: string,
): Promise<void> {
  const { id } = await client.endpoints.create(project, { url: receiver.url })
  const { claimUrl } = await client.endpoints.rotateSecret(project, id, { deliver: 'claim_link' })
  writeFileSync(join(directory, 'claim.link'), `${claimUrl}\n`)
  const token = claimUrl.slice(claimUrl.indexOf('#') + 1)
  if (line.includes('dispute')) await client.claims.claim(token)
}

async function defineTypes(client: Countersign): Promise<void> {
  for (const name of ['order.kept', 'order.old']) await client.eventTypes.define(project, name)
}

/** Real ids and addresses in the place of those that stand for them. */
async function withValues(
  line: string,
  client: Countersign,
  parts: { receiver: TriedReceiver; failing: TriedReceiver; test: TestApp; directory: string },
): Promise<string> {
  const { receiver, failing, test, directory } = parts
  const values: Record<string, () => Promise<string>> = {
    'ep_…': async () => {
      const input = { url: receiver.url, algorithm: 'ed25519' } as const
      return (await client.endpoints.create(project, input)).id
    },
    'evt_…': async () =>
      (await client.events.publish(project, { type: 'order.paid', data: { order: 7 } })).id,
    'dlv_…': async () => {
      const { id } = await client.endpoints.create(project, { url: failing.url })
      return (await client.endpoints.test(project, id)).deliveryId
    },
    'key_…': async () => (await client.apiKeys.create(project, { name: 'A key' })).id,
    'pts_…': async () => {
      const input = { actor: 'jo', scopes: ['webhooks.read'] } as const
      return (await client.portalSessions.create(project, input)).id
    },
    'cmp_…': async () => {
      const activateAt = new Date(Date.now() + 3_600_000)
      const campaign = await client.campaigns.create({ perMinute: 1, activateAt })
      if (line.includes('resume')) await client.campaigns.pause(campaign.id)
      return campaign.id
    },
  }
  let filled = line
  for (const [name, make] of Object.entries(values)) {
    if (filled.includes(name)) filled = filled.replaceAll(name, await make())
  }
  return filled
    .replaceAll('http://127.0.0.1:3000/hooks', receiver.url)
    .replaceAll('http://127.0.0.1:3000/effects', receiver.effectsUrl)
    .replaceAll('http://127.0.0.1:8080', test.app.url)
    .replaceAll(/https:\/\/example\.com\/[\w-]+/g, receiver.url)
    .replaceAll('/var/lib/countersign', join(directory, 'data'))
    .replaceAll('/backups', directory)
}

/** All that examples read; what the line itself writes is not there yet. */
async function writeFiles(directory: string, test: TestApp, line: string): Promise<void> {
  const body = '{"order":7}'
  const at = Math.floor(Date.now() / 1000)
  const mac = createHmac('sha256', Buffer.from(secrets[0].slice('whsec_'.length), 'base64'))
  const signature = mac.update(`evt_1.${at}.${body}`).digest('base64')
  const headers = `webhook-id: evt_1\nwebhook-timestamp: ${at}\nwebhook-signature: v1,${signature}\n`
  const profiles = { dev: { url: test.app.url }, old: {} }
  const files: Record<string, string> = {
    'body.json': body,
    'headers.txt': headers,
    'order.json': '{"order":"1001"}',
    'order.schema.json': '{"type":"object"}',
    'events.jsonl': '{"type":"order.paid","data":{"order":1}}\n{"type":"order.sent","data":{}}\n',
    'hook.secret': `${secrets[0]}\n`,
    'new.secret': `${secrets[1]}\n`,
    'data/root-key': `${test.rootKey}\n`,
    'config/countersign/config.json': JSON.stringify({ profiles }),
  }
  for (const [name, text] of Object.entries(files)) {
    if (line.includes(`--secret-to ${name}`)) continue
    const file = join(directory, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text, { mode: 0o600 })
  }
}
