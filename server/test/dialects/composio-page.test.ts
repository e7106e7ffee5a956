import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  commandsCannotRun,
  readPage,
  runCommandsOfPage,
  runReceiverOfPage,
} from '../support/run-page.ts'
import { composioContract } from './composio-contract.ts'

const page = await readPage('dialects/composio.md')

describe('docs/dialects/composio.md', () => {
  test('every command works when pasted, and every call has one', {
    skip: commandsCannotRun,
  }, async () => {
    const { calls } = await runCommandsOfPage(page)
    for (const { method, path } of composioContract.operations) {
      // The same in both versions, so one of them is enough.
      const target = path.replace(/^\/api\/[^/]+/, '').replace('{id}', 'ws_[0-9a-f]{32}')
      const pattern = new RegExp(
        `^${method} http://[^/]+/api/v3(?:\\.1)?${target}(?:\\?\\S*)? 20[0-9]$`,
      )
      assert.ok(
        calls.some((call) => pattern.test(call)),
        `${method} ${path} is not among:\n${calls.join('\n')}`,
      )
    }
  })

  test('the receiver takes what is signed with one of its secrets, and nothing else', () =>
    runReceiverOfPage(page, 'composio', 'a-secret-of-somebody-else-0123456789'))
})
