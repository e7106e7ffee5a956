import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import type { WebhookFormatName } from '@countersign/sdk'
import { formatNames, formats } from '../src/formats/registry.ts'
import { runInProcess } from './support/run-in-process.ts'
import { rightReceiver, startTriedReceiver, wrongReceivers } from './support/wrong-receivers.ts'

interface Card {
  passed: boolean
  checks: { name: string; verdict: 'pass' | 'fail' | 'unchecked'; detail: string }[]
}

/** The report card of a receiver, as a program reads it. */
async function drill(
  receiver: { url: string; effectsUrl: string },
  secrets: readonly string[],
  more: readonly string[] = [],
): Promise<{ code: number; card: Card; stdout: string }> {
  const args = ['drill', receiver.url, '--json', '--secret-from', '-', '--effects-url']
  // The machine may be busy; where the receiver never answers, there is no use in patience.
  const patience = more.includes('--answer-within') ? [] : ['--answer-within', '30']
  const run = await runInProcess([...args, receiver.effectsUrl, ...patience, ...more], {
    stdin: secrets.join('\n'),
  })
  assert.equal(run.stderr, '')
  return { code: run.code, card: JSON.parse(run.stdout), stdout: run.stdout }
}

function secretsOf(format: string): string[] {
  const generate = formats[format]?.generateSecret
  assert.ok(generate)
  return [generate(randomBytes), generate(randomBytes)]
}

const patienceFor = (fault: string) => (fault === 'slow' ? ['--answer-within', '2'] : [])

const verdictsOf = ({ checks }: Card, verdict: string) =>
  checks.filter((check) => check.verdict === verdict).map(({ name }) => name)

describe('the drill', { concurrency: 4 }, () => {
  for (const format of formatNames) {
    test(`passes a right receiver of ${format}`, async () => {
      const secrets = secretsOf(format)
      const understood = format.replace(/^composio-v.$/, 'composio') as WebhookFormatName
      await using receiver = await startTriedReceiver(rightReceiver(secrets, understood))
      const type = format.startsWith('composio') ? 'composio.trigger.message' : 'order.paid'
      const { code, card } = await drill(receiver, secrets, [
        ...['--format', format, '--event-type', type],
      ])
      assert.deepEqual(verdictsOf(card, 'fail'), [], JSON.stringify(card.checks, null, 1))
      assert.equal(code, 0)
      assert.ok(verdictsOf(card, 'pass').includes('same delivery twice'))
      assert.ok(verdictsOf(card, 'pass').includes('rotation: after'))
    })
  }

  for (const [fault, { behave, failing }] of Object.entries(wrongReceivers)) {
    test(`finds ${fault}, and nothing else`, async () => {
      const secrets = secretsOf('standard')
      await using receiver = await startTriedReceiver(behave(secrets))
      const { code, card } = await drill(receiver, secrets, patienceFor(fault))
      assert.equal(code, 1)
      assert.equal(card.passed, false)
      assert.deepEqual(verdictsOf(card, 'fail'), failing, JSON.stringify(card.checks, null, 1))
    })
  }

  test('names the mistake: which encoding, a redirect, no answer, an answer too early', async () => {
    const details = {
      'wrong encoding of the key': /Wrong encoding: it signs with the whole text/,
      'wrong encoding of the signature': /another text form/,
      redirect: /redirects \(307\)/,
      slow: /No answer within 2000 ms/,
      '200 before verification': /before it was verified/,
      'no verification': /anybody can send it events/,
    }
    for (const [fault, expected] of Object.entries(details)) {
      const secrets = secretsOf('standard')
      const wrong = wrongReceivers[fault]
      assert.ok(wrong)
      await using receiver = await startTriedReceiver(wrong.behave(secrets))
      const { stdout } = await drill(receiver, secrets, patienceFor(fault))
      assert.match(stdout, expected, fault)
    }
  })

  test('says what it could not check, which fails under --strict alone', async () => {
    const [secret = ''] = secretsOf('standard')
    await using receiver = await startTriedReceiver(rightReceiver([secret]))
    const environment = { COUNTERSIGN_SECRET: secret }
    const run = await runInProcess(['drill', receiver.url, '--answer-within', '30'], {
      environment,
    })
    assert.equal(run.code, 0, run.stdout)
    assert.match(run.stdout, /– same delivery twice .*--effects-url/)
    assert.match(run.stdout, /– rotation: after .*--new-secret-from/)
    assert.match(run.stdout, /Passed: 13 right, 0 wrong, 4 not checked/)
    const strict = await runInProcess(['drill', receiver.url, '--strict'], { environment })
    assert.equal(strict.code, 1)
  })

  test('tries a receiver that verifies Ed25519', async () => {
    const { generateEd25519Secret, readEd25519Secret, publicKeyText } = await import(
      '../src/formats/ed25519.ts'
    )
    const secret = generateEd25519Secret(randomBytes)
    const read = readEd25519Secret(secret)
    assert.ok('publicKeyBytes' in read)
    const publicKey = publicKeyText(read.publicKeyBytes)
    await using receiver = await startTriedReceiver(rightReceiver([publicKey]))
    const { code, card } = await drill(receiver, [secret])
    assert.equal(code, 0, JSON.stringify(card.checks, null, 1))
  })

  test('refuses a secret of another shape without repeating it', async () => {
    const run = await runInProcess(['drill', 'http://127.0.0.1:9/hooks', '--secret', 'hush'])
    assert.equal(run.code, 2)
    assert.match(run.stderr, /The secret is none of standard/)
    assert.doesNotMatch(run.stderr + run.stdout, /hush/)
  })
})
