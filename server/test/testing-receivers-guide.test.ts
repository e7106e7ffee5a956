import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { WebhookFormatName } from '@countersign/sdk'
import { formatOf } from '../src/formats/registry.ts'
import { runInProcess } from './support/run-in-process.ts'
import { rightReceiver, startTriedReceiver } from './support/wrong-receivers.ts'

const guide = new URL('../../docs/guides/testing-receivers.md', import.meta.url)
const page = readFileSync(guide, 'utf8')
const commands = [...page.matchAll(/^countersign (drill .*)$/gm)].map(([, line = '']) => line)

describe('docs/guides/testing-receivers.md', { concurrency: 2 }, () => {
  let directory: string
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'countersign-guide-'))
  })
  after(() => rmSync(directory, { recursive: true }))

  test('tells of each of the five systems', () => {
    const formats = commands.map((line) => /--format (\S+)/.exec(line)?.[1] ?? 'standard')
    const systems = ['mobilerun', 'composio', 'h-company', 'devtune', 'dinie']
    assert.deepEqual(formats, ['standard', ...systems])
  })

  for (const line of commands) {
    const format = /--format (\S+)/.exec(line)?.[1] ?? 'standard'
    test(`the command for ${format} passes a right receiver, and not one with another secret`, async () => {
      const generate = () => formatOf(format).generateSecret(randomBytes)
      const secrets = [generate(), generate()]
      const file = join(directory, `${format}.secrets`)
      writeFileSync(file, `${secrets.join('\n')}\n`)
      for (const [held, code] of [
        [secrets, 0],
        [[generate()], 1],
      ] as const) {
        const behave = rightReceiver(held, format as WebhookFormatName)
        await using receiver = await startTriedReceiver(behave)
        const words = line
          .replace('http://127.0.0.1:3000/hooks', receiver.url)
          .replace('hook.secrets', file)
        // The machine may be busy.
        const run = await runInProcess([...words.split(' '), '--answer-within', '30'])
        assert.equal(run.code, code, run.stdout + run.stderr)
      }
    })
  }
})
