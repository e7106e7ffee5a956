import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  commandsCannotRun,
  readPage,
  runCommandsOfPage,
  runReceiverOfPage,
} from '../support/run-page.ts'
import { devtuneContract } from './devtune-contract.ts'

const page = await readPage('dialects/devtune.md')

describe('docs/dialects/devtune.md', () => {
  test('every command works when pasted, and every call has one', {
    skip: commandsCannotRun,
  }, async () => {
    const { calls } = await runCommandsOfPage(page)
    for (const { method, path } of devtuneContract.operations) {
      const target = path.replaceAll(/\{\w+\}/g, '[0-9a-f-]{36}')
      const pattern = new RegExp(`^${method} http://[^/]+${target} 20[0-9]$`)
      assert.ok(
        calls.some((call) => pattern.test(call)),
        `${method} ${path} is not among:\n${calls.join('\n')}`,
      )
    }
  })

  test('the receiver takes what is signed with one of its secrets, and nothing else', () =>
    runReceiverOfPage(page, 'devtune', '7'.repeat(64)))

  test('lists the types that can be subscribed to, all of them', () => {
    const create = devtuneContract.operations.find(({ name }) => name === 'create webhook')
    const events = create?.answers[0]?.fields.find(({ at }) => at === 'data.events[]')
    const table = page.slice(page.indexOf('`events` takes these'), page.indexOf('To send types'))
    const named = [...table.matchAll(/`([a-z-]+(?:\.[a-z]+)+)`/g)].map(([, type]) => type)
    assert.deepEqual(named, events?.oneOf)
  })
})
