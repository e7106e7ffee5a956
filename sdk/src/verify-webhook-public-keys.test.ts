import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { type Answer, startScriptedServer } from '../test/scripted-server.ts'
import { type DeliveryToSign, signedAt, signWebhook, testKeyPair } from '../test/sign-webhook.ts'
import { KeySetError } from './key-set-address.ts'
import { toResponseHeaders, verifyWebhook, type WebhookFormatName } from './verify-webhook.ts'

const body = '{"type":"order.paid","timestamp":"2026-11-21T10:00:00.000Z","data":{"order_id":7}}'
const symmetric = 'whsec_b2xkIHNlY3JldCBvZiB0d2VudHktZm91ciBieXRlcw=='
const oldPair = testKeyPair('old')
const newPair = testKeyPair('new')
const otherPair = testKeyPair('other')

type Secrets = Parameters<typeof verifyWebhook>[2]

/** Signs and verifies at the same moment. */
function verifySigned(delivery: Partial<DeliveryToSign>, secrets: Secrets) {
  const signed = { body, secrets: [newPair.secret], ...delivery }
  return verifyWebhook(signed.body, signWebhook(signed), secrets, { now: signedAt })
}

function jwk({ x }: { x: string }, kid?: string) {
  return { kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', x, ...(kid ? { kid } : {}) }
}

function keySetAnswer(keys: object[], maxAge = 300): Answer {
  const cacheControl = `public, max-age=${maxAge}`
  return { status: 200, headers: { 'cache-control': cacheControl }, body: { keys } }
}

test('verifies the published vector of Standard Webhooks with the public key alone', async () => {
  const headers = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature':
      'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==',
  }
  const publicKey = 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4='
  const now = new Date(1614265330_000)
  const vector = '{"test": 2432232314}'
  const { payload, matchedSecretIndex } = await verifyWebhook(vector, headers, publicKey, { now })
  assert.deepEqual([payload, matchedSecretIndex], [{ test: 2432232314 }, 0])
  for (const [changed, changedHeaders] of [
    [`${vector} `, headers],
    [vector, { ...headers, 'webhook-id': 'msg_other' }],
    [vector, { ...headers, 'webhook-timestamp': '1614265331' }],
  ] as const) {
    const call = verifyWebhook(changed, changedHeaders, publicKey, { now })
    await assert.rejects(call, { code: 'no_match' })
  }
})

test('takes the old and the new key at every stage of a change of algorithm', async () => {
  const stages: { signedWith: string[]; has: string[]; index: number | null }[] = [
    { signedWith: [symmetric], has: [symmetric, newPair.publicKey], index: 0 },
    { signedWith: [newPair.secret, symmetric], has: [symmetric], index: 0 },
    { signedWith: [newPair.secret, symmetric], has: [newPair.publicKey], index: 0 },
    { signedWith: [newPair.secret, symmetric], has: [symmetric, newPair.publicKey], index: 1 },
    { signedWith: [symmetric, newPair.secret], has: [newPair.publicKey, symmetric], index: 1 },
    { signedWith: [newPair.secret], has: [symmetric, newPair.publicKey], index: 1 },
    { signedWith: [newPair.secret, oldPair.secret], has: [oldPair.publicKey], index: 0 },
    { signedWith: [newPair.secret], has: [symmetric], index: null },
    { signedWith: [symmetric], has: [newPair.publicKey], index: null },
  ]
  for (const { signedWith, has, index } of stages) {
    const call = verifySigned({ secrets: signedWith }, has)
    if (index === null) await assert.rejects(call, { code: 'no_match' })
    else assert.equal((await call).matchedSecretIndex, index)
  }
})

test('a public key is never taken for the secret of an HMAC', async () => {
  const { publicKey } = newPair
  const half = Buffer.from(publicKey.slice('whpk_'.length), 'base64')
  const head = `evt_1.${signedAt.getTime() / 1_000}.`
  for (const key of [half, Buffer.from(publicKey), Buffer.from(publicKey.slice(5))]) {
    const mac = createHmac('sha256', key).update(head).update(body).digest('base64')
    const headers = signWebhook({ body, secrets: [otherPair.secret] })
    for (const version of ['v1', 'v1a']) {
      headers['webhook-signature'] = `${version},${mac}`
      const call = verifyWebhook(body, headers, [publicKey], { now: signedAt })
      await assert.rejects(call, { code: 'no_match' })
    }
  }
})

test('skips v1a entries that are no signatures, and looks at eight of them at most', async () => {
  const right = String(signWebhook({ body, secrets: [newPair.secret] })['webhook-signature'])
  const wrong = `v1a,${Buffer.alloc(64, 7).toString('base64')}`
  const verdict = (signature: string) => {
    const headers = signWebhook({ body, secrets: [newPair.secret] })
    headers['webhook-signature'] = signature
    return verifyWebhook(body, headers, newPair.publicKey, { now: signedAt }).then(
      () => 'accepted',
      ({ code }) => code,
    )
  }
  const broken = [
    'v1a,',
    'v1a',
    'v1a,AAAA',
    `${right}A`,
    right.slice(0, -4),
    'v1a,!!!!',
    'v1b,AAAA',
  ]
  assert.equal(await verdict([...broken, ...broken, right].join(' ')), 'accepted')
  for (const entry of broken) assert.equal(await verdict(entry), 'no_match', entry)
  const wrongs = (count: number) => Array<string>(count).fill(wrong)
  assert.equal(await verdict([...wrongs(7), right].join(' ')), 'accepted')
  assert.equal(await verdict([...wrongs(8), right].join(' ')), 'no_match')
})

test('takes a JWK set, leaves out keys of other kinds, and tells the id of the key', async () => {
  const keys = [
    { kty: 'RSA', n: 'AQAB', e: 'AQAB', kid: 'rsa' },
    { ...jwk(newPair, 'for-encryption'), use: 'enc' },
    { kty: 'OKP', crv: 'X25519', x: newPair.x },
    jwk(otherPair, 'sec_other'),
    jwk(newPair, 'sec_new'),
  ]
  const delivery = { secretIds: ['sec_unsigned'] }
  const event = await verifySigned(delivery, [symmetric, { keys }])
  assert.deepEqual([event.matchedSecretIndex, event.matchedSecretId], [1, 'sec_new'])
  assert.deepEqual(toResponseHeaders(event), { 'webhook-verified-secret': 'sec_new' })
  const unnamed = await verifySigned(delivery, { keys: [jwk(newPair)] })
  assert.equal(unnamed.matchedSecretId, 'sec_unsigned')
  const odd = await verifySigned({}, { keys: [jwk(newPair, 'a\r\nset-cookie: b')] })
  assert.equal(odd.matchedSecretId, null)
  await assert.rejects(verifySigned({}, { keys: keys.slice(0, -1) }), { code: 'no_match' })
})

test('refuses public keys, key sets and addresses that cannot be right', async () => {
  const wrong: unknown[] = [
    'whpk_',
    'whpk_hidden!',
    `whpk_${Buffer.alloc(31).toString('base64')}`,
    `whpk_${Buffer.alloc(33).toString('base64')}`,
    newPair.secret,
    {},
    { keys: [] },
    { keys: 'hidden' },
    { keys: [{ kty: 'OKP', crv: 'Ed25519', x: 'AAAA' }] },
    'http://hooks.example.com/keys.json',
    'https://user:hidden@hooks.example.com/keys.json',
    new URL('http://127.0.0.1.example.com/keys.json'),
    new URL('file:///keys.json'),
    'ftp://127.0.0.1/keys.json',
  ]
  for (const secret of wrong) {
    await assert.rejects(
      verifySigned({}, [symmetric, secret] as Secrets),
      (error) =>
        error instanceof TypeError &&
        /^secrets\[1\] is not/.test(error.message) &&
        !/hidden|example|127/.test(error.message),
      String(secret),
    )
  }
})

test('other formats know no public keys: there such a text is a secret like any other', async () => {
  const { publicKey } = newPair
  const headers = signWebhook({ body, secrets: [newPair.secret] })
  for (const format of ['composio', 'dinie', 'mobilerun', 'github'] as WebhookFormatName[]) {
    const call = verifyWebhook(body, headers, { keys: [jwk(newPair)] }, { format, now: signedAt })
    await assert.rejects(call, TypeError)
  }
  const call = verifyWebhook(body, headers, publicKey, { format: 'composio', now: signedAt })
  await assert.rejects(call, { code: 'no_match' })
})

test('follows a key set: reads it once, and again for a key that it does not know', async () => {
  await using server = await startScriptedServer([keySetAnswer([jwk(oldPair, 'sec_old')])])
  const address = `${server.url}/.well-known/webhooks/ep_1/keys.json`
  const secrets = [symmetric, new URL(address)]
  const first = await verifySigned({ secrets: [oldPair.secret] }, secrets)
  assert.deepEqual([first.matchedSecretIndex, first.matchedSecretId], [1, 'sec_old'])
  await verifySigned({ secrets: [oldPair.secret] }, address)
  assert.equal(server.requests.length, 1)
  assert.equal(server.requests[0]?.headers.accept, 'application/json')
  assert.equal(server.requests[0]?.url, '/.well-known/webhooks/ep_1/keys.json')
  // Asked a moment ago: a signature of nobody's key causes no further request.
  const forged = verifySigned({ secrets: [otherPair.secret] }, secrets)
  await assert.rejects(forged, { code: 'no_match' })
  assert.equal(server.requests.length, 1)
})

test('reads no key set for a delivery that carries no public signature, or is out of time', async () => {
  await using server = await startScriptedServer([])
  const secrets = [`${server.url}/keys.json`, symmetric]
  await verifySigned({ secrets: [symmetric] }, secrets)
  const late = signWebhook({ body, secrets: [newPair.secret], timestampSeconds: 1 })
  await assert.rejects(verifyWebhook(body, late, secrets), { code: 'timestamp_too_old' })
  assert.equal(server.requests.length, 0)
})

test('says that a key set cannot be read, unless another secret matches', async () => {
  await using server = await startScriptedServer([{ status: 500 }])
  const address = `${server.url}/keys.json`
  const both = { secrets: [newPair.secret, symmetric] }
  assert.equal((await verifySigned(both, [address, symmetric])).matchedSecretIndex, 1)
  await assert.rejects(verifySigned({}, [address, symmetric]), (error) => {
    assert.ok(error instanceof KeySetError)
    assert.equal(error.url, address)
    assert.match(error.message, /500/)
    return true
  })
  assert.equal(server.requests.length, 1)
})
