import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodePrograms, preparePrograms } from './programs.ts'

test('without a compiler the node programs stand in', async () => {
  assert.deepEqual(await preparePrograms({ compiler: 'no-such-compiler' }), nodePrograms())
})
