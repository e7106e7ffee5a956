import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createImportedKeys } from './imported-keys.ts'

test('imports a key once, and forgets the oldest beyond its bound', async () => {
  const keys = createImportedKeys({ keysMax: 2 })
  const imports: string[] = []
  const get = (secret: string) =>
    keys.get(secret, 'HMAC', () => {
      imports.push(secret)
      return Uint8Array.of(1)
    })
  const [first, again] = await Promise.all([get('a'), get('a')])
  assert.equal(first, again)
  await get('b')
  await get('a')
  assert.deepEqual(imports, ['a', 'b'])
  await get('c')
  await get('b')
  await get('a')
  assert.deepEqual(imports, ['a', 'b', 'c', 'a'])
})

test('does not remember a key that could not be imported', async () => {
  const keys = createImportedKeys({ keysMax: 2 })
  await assert.rejects(keys.get('a', 'HMAC', () => new Uint8Array(0)))
  assert.ok(await keys.get('a', 'HMAC', () => Uint8Array.of(1)))
})
