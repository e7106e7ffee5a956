import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { createTestApi, type TestApi } from '../../../test/support/test-api.ts'
import { apiLimits } from '../api-limits.ts'

const keySetOf = (endpointId: string) => `/.well-known/webhooks/${endpointId}/keys.json`

test('shows the public key of an Ed25519 endpoint to anyone, and lets it be kept for 5 minutes', async () => {
  await using server = await createTestApi()
  const { created } = await addEndpoint(server, { algorithm: 'ed25519' })
  assert.equal(created.algorithm, 'ed25519')
  assert.match(created.public_key, /^whpk_/)
  assert.equal(created.secret, undefined)
  assert.equal(created.key_set_url, keySetOf(created.id))
  const { status, headers, body } = await readKeys(server, created.id)
  assert.equal(status, 200)
  assert.equal(headers['cache-control'], 'public, max-age=300')
  assert.equal(headers['content-type'], 'application/json; charset=utf-8')
  const x = Buffer.from(created.public_key.slice('whpk_'.length), 'base64').toString('base64url')
  const kid = created.secret_id
  assert.deepEqual(body, {
    keys: [{ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', kid, x }],
  })
})

test('gives the address of the key set in full where the server knows its own', async () => {
  await using server = await createTestApi({ publicUrl: 'https://hooks.example.com/' })
  const { created } = await addEndpoint(server, { algorithm: 'ed25519' })
  assert.equal(created.key_set_url, `https://hooks.example.com${keySetOf(created.id)}`)
})

test('lists a new key ten minutes before it signs, and the old one until its end', async () => {
  await using server = await createTestApi()
  const { created, path } = await addEndpoint(server, { algorithm: 'ed25519' })
  const rotated = await rotate(server, path, { expire_current_in: 60 })
  assert.equal(rotated.body.rotation.status, 'staged')
  assert.equal(rotated.body.rotation.activates_at, '2026-11-01T10:10:00.000Z')
  assert.equal(rotated.body.previous_secret_expires_at, '2026-11-01T10:11:00.000Z')
  assert.equal(rotated.body.secret, undefined)
  const both = [rotated.body.secret_id, created.secret_id]
  assert.deepEqual(await kidsOf(server, created.id), both)
  server.clock.advance(600_000)
  assert.deepEqual(await kidsOf(server, created.id), both)
  server.clock.advance(60_000)
  assert.deepEqual(await kidsOf(server, created.id), [rotated.body.secret_id])
})

test('a forced cut takes the old key out at once', async () => {
  await using server = await createTestApi()
  const { created, path } = await addEndpoint(server, { algorithm: 'ed25519' })
  await rotate(server, path, {})
  const refused = await rotate(server, path, { expire_current_in: 0 })
  assert.equal(refused.status, 422)
  assert.equal(refused.body.errors[0].code, 'too_early')
  const cut = await rotate(server, path, { expire_current_in: 0, force: true })
  assert.equal(cut.body.rotation.completed_by, 'cut')
  assert.deepEqual(await kidsOf(server, created.id), [cut.body.secret_id])
})

test('nothing tells an HMAC endpoint, a deleted one and one that never was from each other', async () => {
  await using server = await createTestApi()
  const hmac = await addEndpoint(server, {})
  const gone = await addEndpoint(server, { algorithm: 'ed25519' })
  assert.equal((await server.call('DELETE', gone.path)).status, 204)
  const ids = [hmac.created.id, gone.created.id, 'ep_0199c0de000070008000000000000001', 'no-id']
  const answers = new Set<string>()
  for (const id of ids) {
    const { status, headers, text } = await readKeys(server, id)
    assert.equal(status, 404)
    assert.equal(headers['cache-control'], 'no-store')
    answers.add(text.replace(/req_[0-9a-f]+/, ''))
  }
  assert.equal(answers.size, 1)
})

test('a change of algorithm is a rotation, both ways, and the endpoint tells what signs now', async () => {
  await using server = await createTestApi()
  const { created, path } = await addEndpoint(server, {})
  const algorithm = async () => (await server.call('GET', path)).body.algorithm
  const statuses = async () =>
    (await server.call('GET', `${path}/secrets`)).body.data.map(
      (secret: { algorithm: string; status: string }) => `${secret.algorithm} ${secret.status}`,
    )
  const toPublic = await rotate(server, path, { algorithm: 'ed25519' })
  assert.deepEqual(await statuses(), ['ed25519 staged', 'hmac-sha256 current'])
  assert.equal(await algorithm(), 'hmac-sha256')
  assert.deepEqual(await kidsOf(server, created.id), [toPublic.body.secret_id])
  server.clock.advance(600_000)
  assert.deepEqual(await statuses(), ['ed25519 current', 'hmac-sha256 retiring'])
  assert.equal(await algorithm(), 'ed25519')

  const rotations = `${path}/rotations/${toPublic.body.rotation.id}`
  assert.equal((await server.call('POST', `${rotations}/cancel`)).status, 200)
  assert.equal(await algorithm(), 'hmac-sha256', 'a cancel brings the old algorithm back')
  assert.equal((await readKeys(server, created.id)).status, 404)

  const again = await rotate(server, path, { algorithm: 'ed25519' })
  server.clock.advance(600_000 + 86_400_000)
  assert.deepEqual((await statuses())[0], 'ed25519 current')
  const kept = await rotate(server, path, { expire_current_in: 60 })
  assert.match(kept.body.public_key, /^whpk_/, 'what is not asked for stays')
  server.clock.advance(600_000 + 60_000)
  const back = await rotate(server, path, { algorithm: 'hmac-sha256', expire_current_in: 60 })
  assert.match(back.body.secret, /^whsec_/)
  assert.equal(back.body.public_key, undefined)
  assert.equal(back.body.rotation.status, 'overlapping')
  assert.deepEqual(await kidsOf(server, created.id), [kept.body.secret_id])
  assert.notEqual(kept.body.secret_id, again.body.secret_id)
  server.clock.advance(60_000)
  assert.equal((await readKeys(server, created.id)).status, 404)
})

test('takes a key of the caller, never shows it, and takes it once', async () => {
  await using server = await createTestApi()
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const seed = Buffer.from(String(privateKey.export({ format: 'jwk' }).d), 'base64url')
  const half = Buffer.from(String(publicKey.export({ format: 'jwk' }).x), 'base64url')
  const secret = `whsk_${Buffer.concat([seed, half]).toString('base64')}`
  const { created, path } = await addEndpoint(server, { algorithm: 'ed25519', secret })
  assert.equal(created.public_key, `whpk_${half.toString('base64')}`)
  const [shown] = (await server.call('GET', `${path}/secrets`)).body.data
  assert.equal(shown.public_key, created.public_key)
  assert.equal(shown.hint, created.public_key.slice(-4))

  const refuse = async (body: object) => {
    const { status, body: problem, text } = await rotate(server, path, body)
    assert.equal(status, 422)
    assert.ok(!text.includes(secret.slice(5)) && !text.includes(seed.toString('base64')))
    return problem
  }
  assert.equal((await refuse({ secret })).code, 'secret_reused')
  const swapped = `whsk_${Buffer.concat([half, seed]).toString('base64')}`
  assert.match((await refuse({ secret: swapped })).detail, /public key of its own private key/)
  assert.match((await refuse({ secret: `whsk_${seed.toString('base64')}` })).detail, /64 bytes/)
  assert.match((await refuse({ secret: created.public_key })).detail, /begin with whsk_/)
  assert.match((await refuse({ secret, algorithm: 'hmac-sha256' })).detail, /begin with whsec_/)
})

test('formats that know no public keys refuse them: at create, at rotate and as a new format', async () => {
  await using server = await createTestApi()
  const project = await server.addProject()
  const body = { url: 'https://a.example/', format: 'stripe', algorithm: 'ed25519' }
  const refused = await server.call('POST', `${project.path}/endpoints`, { body })
  assert.equal(refused.status, 422)
  assert.deepEqual(refused.body.errors, [
    {
      param: 'algorithm',
      detail: 'The format stripe signs with hmac-sha256 only.',
      code: 'algorithm_not_in_format',
    },
  ])
  const stripe = await addEndpoint(server, { format: 'stripe' })
  const rotated = await rotate(server, stripe.path, { algorithm: 'ed25519', expire_current_in: -1 })
  assert.deepEqual(
    rotated.body.errors.map(({ param }: { param: string }) => param),
    ['expire_current_in'],
  )
  const alone = await rotate(server, stripe.path, { algorithm: 'ed25519' })
  assert.equal(alone.body.errors[0].code, 'algorithm_not_in_format')
  const { path } = await addEndpoint(server, { algorithm: 'ed25519' })
  const changed = await server.call('PATCH', path, { body: { format: 'mobilerun' } })
  assert.equal(changed.body.errors[0].code, 'secret_does_not_fit')
  const staged = await addEndpoint(server, {})
  await rotate(server, staged.path, { algorithm: 'ed25519' })
  const unfit = await server.call('PATCH', staged.path, { body: { format: 'mobilerun' } })
  assert.equal(unfit.body.errors[0].code, 'secret_does_not_fit', 'one that is staged counts too')
})

test('reads of key sets are limited by address, and by nothing else', async () => {
  await using server = await createTestApi()
  const { created } = await addEndpoint(server, { algorithm: 'ed25519' })
  for (let n = 0; n < apiLimits.keySetReadsBurst; n += 1) {
    assert.equal((await readKeys(server, n % 2 ? created.id : 'ep_none')).status, n % 2 ? 200 : 404)
  }
  const refused = await readKeys(server, created.id)
  assert.equal(refused.status, 429)
  assert.equal(refused.headers['retry-after'], '1')
  server.clock.advance(100)
  assert.equal((await readKeys(server, created.id)).status, 200)
})

async function addEndpoint(server: TestApi, fields: object) {
  const project = await server.addProject()
  const { status, body: created } = await server.call('POST', `${project.path}/endpoints`, {
    body: { url: 'https://a.example/', ...fields },
  })
  assert.equal(status, 201)
  return { created, path: `${project.path}/endpoints/${created.id}` }
}

function rotate(server: TestApi, path: string, body: object) {
  return server.call('POST', `${path}/secret/rotate`, { body })
}

function readKeys(server: TestApi, endpointId: string) {
  return server.call('GET', keySetOf(endpointId), { key: null })
}

async function kidsOf(server: TestApi, endpointId: string): Promise<string[]> {
  const { body } = await readKeys(server, endpointId)
  return body.keys.map(({ kid }: { kid: string }) => kid)
}
