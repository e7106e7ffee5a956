import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  commandsCannotRun,
  readPage,
  runCommandsOfPage,
  runReceiverOfPage,
} from '../support/run-page.ts'
import { dinieContract } from './dinie-contract.ts'

const page = await readPage('dialects/dinie.md')

describe('docs/dialects/dinie.md', () => {
  test('every command works when pasted, and every call has one', {
    skip: commandsCannotRun,
  }, async () => {
    const { calls } = await runCommandsOfPage(page)
    for (const { method, path } of dinieContract.operations) {
      const target = path.replace('/api/v3/', '/').replaceAll(/\{\w+\}/g, 'we_[0-9a-f]{32}')
      const pattern = new RegExp(
        `^${method} http://[^/]+(?:/api)?/v3${target}(?:\\?\\S*)? 20[0-9]$`,
      )
      assert.ok(
        calls.some((call) => pattern.test(call)),
        `${method} ${path} is not among:\n${calls.join('\n')}`,
      )
    }
  })

  test('the receiver takes what is signed with one of its secrets, and nothing else', () =>
    runReceiverOfPage(page, 'dinie', `whsec_${Buffer.alloc(30, 7).toString('base64')}`))
})
