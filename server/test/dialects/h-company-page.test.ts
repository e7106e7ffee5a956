import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  commandsCannotRun,
  readPage,
  runCommandsOfPage,
  runReceiverOfPage,
} from '../support/run-page.ts'
import { hCompanyContract } from './h-company-contract.ts'

const page = await readPage('dialects/h-company.md')

describe('docs/dialects/h-company.md', () => {
  test('every command works when pasted, and every call has one', {
    skip: commandsCannotRun,
  }, async () => {
    const { calls, receivedCount } = await runCommandsOfPage(page)
    for (const { method, path } of hCompanyContract.operations) {
      const target = path.replaceAll(/\{\w+\}/g, '[0-9a-f-]{36}')
      const pattern = new RegExp(`^${method} http://[^/]+${target}(?:\\?\\S*)? 20[0-9]$`)
      assert.ok(
        calls.some((call) => pattern.test(call)),
        `${method} ${path} is not among:\n${calls.join('\n')}`,
      )
    }
    assert.ok(receivedCount >= 1, 'the ping arrived')
  })

  test('the receiver takes what is signed with one of its secrets, and nothing else', () =>
    runReceiverOfPage(page, 'h-company', `whsec_${Buffer.alloc(32, 7).toString('base64url')}`))
})
