import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, verify } from 'node:crypto'
import { test } from 'node:test'
import { generateEd25519Secret, publicKeyText, readEd25519Secret, signEd25519 } from './ed25519.ts'
import type { SigningKey } from './format.ts'
import { formats } from './registry.ts'
import { readSecretText } from './secret-text.ts'
import { standard } from './standard.ts'

/** The example of the Standard Webhooks specification, with the key of the tests of Svix. */
const published = {
  secret:
    'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==',
  publicKey: 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=',
  signature:
    'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==',
}

/** RFC 8032, section 7.1: seed, public key, message, signature. */
const rfcVectors = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
] as const

function key(id: string, text: string): SigningKey {
  const algorithm = text.startsWith('whsk_') ? 'ed25519' : 'hmac-sha256'
  const read = readSecretText(standard, algorithm, text)
  assert.ok('key' in read)
  return { id, ...read.key }
}

test('signs the published Standard Webhooks vector byte for byte, beside an HMAC', () => {
  const headers = standard.headers({
    eventId: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    eventType: 'test',
    timestampSeconds: 1614265330,
    attemptNumber: 1,
    body: Buffer.from('{"test": 2432232314}'),
    keys: [key('sec_b', published.secret), key('sec_a', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')],
  })
  assert.deepEqual(headers, {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': `${published.signature} v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=`,
    'webhook-secret-ids': 'sec_b,sec_a',
  })
})

test('signs the vectors of RFC 8032', () => {
  for (const [seed, publicKey, message, signature] of rfcVectors) {
    const text = `whsk_${Buffer.from(seed + publicKey, 'hex').toString('base64')}`
    const read = readEd25519Secret(text)
    assert.ok('privateKey' in read)
    assert.equal(Buffer.from(read.publicKeyBytes).toString('hex'), publicKey)
    const signed = signEd25519(read.privateKey, '', Buffer.from(message, 'hex'))
    assert.equal(Buffer.from(signed, 'base64').toString('hex'), signature)
  }
})

test('gives a key the public half that receivers are shown', () => {
  const read = readSecretText(standard, 'ed25519', published.secret)
  assert.ok('publicKey' in read)
  assert.equal(read.publicKey, published.publicKey)
})

test('generates keys that it reads back, each with a public half that verifies', () => {
  const seen = new Set<string>()
  for (let n = 0; n < 20; n += 1) {
    const text = generateEd25519Secret((size) => randomBytes(size))
    const read = readEd25519Secret(text)
    assert.ok('privateKey' in read)
    const x = Buffer.from(read.publicKeyBytes).toString('base64url')
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
    const body = randomBytes(100)
    const signature = Buffer.from(signEd25519(read.privateKey, 'a.1.', body), 'base64')
    assert.ok(verify(null, Buffer.concat([Buffer.from('a.1.'), body]), publicKey, signature))
    assert.match(publicKeyText(read.publicKeyBytes), /^whpk_[A-Za-z0-9+/]{43}=$/)
    seen.add(x)
  }
  assert.equal(seen.size, 20)
})

test('says as a sentence what is wrong with a key, without repeating it', () => {
  const whole = Buffer.from(published.secret.slice('whsk_'.length), 'base64')
  const of = (bytes: Uint8Array) => `whsk_${Buffer.from(bytes).toString('base64')}`
  const otherHalf = Buffer.concat([whole.subarray(0, 32), randomBytes(32)])
  const flipped = Buffer.from(whole)
  flipped[63] = (flipped[63] ?? 0) ^ 1
  const bad: [text: string, problem: RegExp][] = [
    ['', /begin with whsk_/],
    [published.secret.slice('whsk_'.length), /begin with whsk_/],
    [published.publicKey, /begin with whsk_/],
    [`whsec_${whole.toString('base64')}`, /begin with whsk_/],
    ['whsk_', /64 bytes, .*, not 0/],
    [of(whole.subarray(0, 32)), /64 bytes, .*, not 32/],
    [of(whole.subarray(0, 63)), /64 bytes, .*, not 63/],
    [of(Buffer.concat([whole, whole.subarray(0, 1)])), /64 bytes, .*, not 65/],
    [`${published.secret}=`, /standard base64/],
    [published.secret.slice(0, -2), /standard base64/],
    [published.secret.replaceAll('/', '_'), /standard base64/],
    [`${published.secret}\n`, /standard base64/],
    [of(otherHalf), /public key of its own private key/],
    [of(flipped), /public key of its own private key/],
  ]
  for (const [text, problem] of bad) {
    const read = readEd25519Secret(text)
    assert.ok('problem' in read, `took ${text}`)
    assert.match(read.problem, problem)
    assert.match(read.problem, /^Must .*\.$/)
    assert.ok(text.length < 10 || !read.problem.includes(text.slice(5)))
  }
})

test('no format but the standard one takes a key pair', () => {
  for (const format of Object.values(formats)) {
    const read = readSecretText(format, 'ed25519', published.secret)
    assert.equal('key' in read, format.name === 'standard', format.name)
    if ('problem' in read) assert.match(read.problem, /signs with hmac-sha256 only/)
  }
})
