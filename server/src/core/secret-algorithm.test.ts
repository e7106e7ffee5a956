import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from './limits.ts'
import { activationProblems, chooseActivation } from './secret-algorithm.ts'

const now = 1_000_000
const asked = { now, algorithm: 'ed25519' } as const

test('a public key is known for ten minutes, twice as long as it may be kept, before it signs', () => {
  assert.equal(limits.keySetLeadMs, 2 * limits.keySetMaxAgeSeconds * 1_000)
  assert.equal(chooseActivation(asked), now + 600_000)
  assert.equal(chooseActivation({ ...asked, force: true }), now + 600_000)
  assert.equal(chooseActivation({ ...asked, expireCurrentInSeconds: 60 }), now + 600_000)
  assert.equal(chooseActivation({ ...asked, activateAt: now + 5 }), now + 5)
})

test('a forced cut waits for nobody; one that is not forced is refused', () => {
  const cut = { ...asked, expireCurrentInSeconds: 0 }
  assert.equal(chooseActivation({ ...cut, force: true }), undefined)
  assert.deepEqual(activationProblems({ ...cut, force: true }), [])
  const [problem] = activationProblems(cut)
  assert.deepEqual([problem?.param, problem?.code], ['activate_at', 'too_early'])
  assert.match(problem?.detail ?? '', /10 minutes .* force: true/)
  assert.deepEqual(activationProblems({ ...cut, activateAt: now + 600_000 }), [])
})

test('an activation before receivers can know the key is refused unless it is forced', () => {
  const at = (activateAt: number, force = false) =>
    activationProblems({ ...asked, activateAt, force }).length
  assert.equal(at(now + 599_999), 1)
  assert.equal(at(now + 600_000), 0)
  assert.equal(at(now + 1, true), 0)
  // A time in the past is at fault for another reason, and once is enough.
  assert.equal(at(now), 0)
})

test('an HMAC secret signs at once, as nobody looks it up', () => {
  const symmetric = { ...asked, algorithm: 'hmac-sha256', expireCurrentInSeconds: 0 } as const
  assert.equal(chooseActivation(symmetric), undefined)
  assert.deepEqual(activationProblems(symmetric), [])
  assert.deepEqual(activationProblems({ ...symmetric, activateAt: now + 1 }), [])
})
