import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import { type CapturedDelivery, captureOverlap } from '../support/capture-overlap.ts'

const interop = new URL('../interop/', import.meta.url).pathname

for (const format of ['standard', 'dinie'] as const) {
  describe(`${format} deliveries around a rotation, as Standard Webhooks libraries see them`, () => {
    let deliveries: CapturedDelivery[] = []
    before(async () => {
      deliveries = await captureOverlap(format)
    })

    test('the one for Node', () => {
      for (const { name, secret, headers, body, isValid } of deliveries) {
        assert.equal(isAccepted(secret, body, headers), isValid, name)
      }
      assert.equal(deliveries.filter(({ isValid }) => isValid).length, 4)
    })

    test('the newest signature stands first', () => {
      const during = deliveries.filter(({ name }) => name.startsWith('during'))
      const [first, second] = during[0]?.headers['webhook-signature']?.split(' ') ?? []
      assert.ok(first && second)
      const [old, fresh] = during
      assert.ok(old && fresh)
      const only = (signature: string) => ({ ...fresh.headers, 'webhook-signature': signature })
      assert.ok(isAccepted(fresh.secret, fresh.body, only(first)))
      assert.ok(isAccepted(old.secret, old.body, only(second)))
    })

    test('the one for Python', async (t) => {
      await using place = await createPlace(deliveries)
      const target = join(place.directory, 'python')
      const install = ['-m', 'pip', 'install', '--quiet', '--target', target, 'standardwebhooks']
      const installed = await run('python3', install, {})
      if (installed.status !== 0) return t.skip('Python, or its library, cannot be had here.')
      const script = join(interop, 'verify-standardwebhooks.py')
      const { status, output } = await run('python3', [script, place.file], { PYTHONPATH: target })
      assert.equal(status, 0, output)
    })

    test('the one for Go', async (t) => {
      await using place = await createPlace(deliveries)
      const folder = join(interop, 'standardwebhooks-go')
      const binary = join(place.directory, 'verify')
      const fetched = await run('go', ['-C', folder, 'mod', 'download'], {})
      if (fetched.status !== 0) return t.skip('Go, or its library, cannot be had here.')
      const built = await run('go', ['-C', folder, 'build', '-o', binary, '.'], {})
      assert.equal(built.status, 0, built.output)
      const { status, output } = await run(binary, [place.file], {})
      assert.equal(status, 0, output)
    })
  })
}

function isAccepted(secret: string, body: string, headers: Record<string, string>): boolean {
  try {
    new Webhook(secret).verify(body, headers)
    return true
  } catch (error) {
    assert.ok(error instanceof WebhookVerificationError)
    return false
  }
}

async function createPlace(deliveries: readonly CapturedDelivery[]) {
  const directory = await mkdtemp(join(tmpdir(), 'countersign-interop-'))
  const file = join(directory, 'deliveries.json')
  await writeFile(file, JSON.stringify(deliveries))
  return {
    directory,
    file,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}

/** Long enough to fetch and build a small library. */
const runMsMax = 120_000

/** Status null: it is not here, or took too long. */
async function run(command: string, parameters: string[], environment: Record<string, string>) {
  const child = spawn(command, parameters, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: runMsMax,
  })
  try {
    const [stdout, stderr, [status]] = await Promise.all([
      child.stdout.setEncoding('utf8').toArray(),
      child.stderr.setEncoding('utf8').toArray(),
      once(child, 'close') as Promise<[number | null]>,
    ])
    return { status, output: [...stdout, ...stderr].join('') }
  } catch {
    return { status: null, output: '' }
  }
}
