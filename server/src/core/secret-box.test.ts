import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { createSecretBox, SecretBoxError, secretContext } from './secret-box.ts'

const random = (size: number) => randomBytes(size)
const box = (...masterKeys: Uint8Array[]) => createSecretBox({ masterKeys, randomBytes: random })

test('opens what it sealed, and never seals twice to the same bytes', () => {
  const one = box(random(32))
  const sealed = one.seal('whsec_text ü', 'here')
  assert.equal(one.open(sealed, 'here'), 'whsec_text ü')
  assert.notDeepEqual(one.seal('whsec_text ü', 'here'), sealed)
})

test('a ciphertext moved to another row does not open', () => {
  const one = box(random(32))
  const sealed = one.seal('text', secretContext('ep_1', 'sec_1'))
  assert.throws(() => one.open(sealed, secretContext('ep_1', 'sec_2')), SecretBoxError)
  assert.throws(() => one.open(sealed, secretContext('ep_2', 'sec_1')), SecretBoxError)
})

test('any altered byte, a cut and an unknown key are refused', () => {
  const one = box(random(32))
  const sealed = one.seal('text', 'c')
  for (let index = 0; index < sealed.length; index++) {
    const altered = Uint8Array.from(sealed)
    altered[index] = (altered[index] ?? 0) ^ 1
    assert.throws(() => one.open(altered, 'c'), SecretBoxError)
    assert.throws(() => one.open(sealed.subarray(0, index), 'c'), SecretBoxError)
  }
  assert.throws(() => box(random(32)).open(sealed, 'c'), SecretBoxError)
})

test('the first key of the ring encrypts, all decrypt', () => {
  const [older, newer] = [random(32), random(32)]
  const sealedBefore = box(older).seal('text', 'c')
  const both = box(newer, older)
  assert.equal(both.open(sealedBefore, 'c'), 'text')
  assert.equal(box(newer).open(both.seal('text', 'c'), 'c'), 'text')
})
