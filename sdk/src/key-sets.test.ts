import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testKeyPair } from '../test/sign-webhook.ts'
import { KeySetError, keySetUrl } from './key-set-address.ts'
import { createKeySets } from './key-sets.ts'

const url = 'https://hooks.example.com/keys.json'
const old = jwk('old')
const fresh = jwk('new')

function jwk(name: string) {
  return { kty: 'OKP', crv: 'Ed25519', kid: name, x: testKeyPair(name).x }
}

/** Key sets over answers that the test gives, and a clock that only it moves. */
function createSubject(setsMax = 8) {
  let now = 1_000_000
  const asked: { url: string; redirect: string }[] = []
  const keySets = createKeySets({
    setsMax,
    now: () => now,
    fetch: (address, { redirect }) => {
      asked.push({ url: address, redirect })
      return subject.answer()
    },
  })
  const subject = {
    answer: async (): Promise<Response> => answered({ keys: [old] }),
    asked,
    advance: (ms: number) => {
      now += ms
    },
    keySets,
    kids: async (address = url) => (await keySets.read(address)).map(({ id }) => id),
  }
  return subject
}

function answered(body: unknown, headers: Record<string, string> = {}, status = 200): Response {
  return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers })
}

test('keeps keys for as long as the answer allows, within bounds', async () => {
  const cases: [cacheControl: string | null, keptMs: number][] = [
    [null, 300_000],
    ['public, max-age=60', 60_000],
    ['max-age=1', 10_000],
    ['no-store', 10_000],
    ['max-age=999999', 3_600_000],
  ]
  for (const [cacheControl, keptMs] of cases) {
    const subject = createSubject()
    const headers: Record<string, string> = cacheControl ? { 'cache-control': cacheControl } : {}
    subject.answer = async () => answered({ keys: [old] }, headers)
    await subject.kids()
    subject.advance(keptMs - 1)
    await subject.kids()
    assert.equal(subject.asked.length, 1, `${cacheControl}`)
    subject.advance(1)
    await subject.kids()
    assert.equal(subject.asked.length, 2, `${cacheControl}`)
  }
})

test('asks once for all that wait', async () => {
  const subject = createSubject()
  const all = await Promise.all(Array.from({ length: 50 }, () => subject.kids()))
  assert.deepEqual(all, Array(50).fill(['old']))
  assert.equal(subject.asked.length, 1)
  assert.equal(subject.asked[0]?.redirect, 'manual')
})

test('reads anew for an unknown key, at most every ten seconds, whoever asks', async () => {
  const subject = createSubject()
  await subject.kids()
  assert.equal(await subject.keySets.readAnew(url), null)
  subject.advance(9_999)
  assert.equal(await subject.keySets.readAnew(url), null)
  subject.advance(1)
  subject.answer = async () => answered({ keys: [fresh, old] })
  const both = await Promise.all([subject.keySets.readAnew(url), subject.keySets.readAnew(url)])
  for (const keys of both)
    assert.deepEqual(
      keys?.map(({ id }) => id),
      ['new', 'old'],
    )
  assert.equal(await subject.keySets.readAnew(url), null)
  assert.equal(subject.asked.length, 2)
  assert.deepEqual(await subject.kids(), ['new', 'old'])
})

test('while the address fails, uses what it remembers for an hour more, and then says so', async () => {
  const subject = createSubject()
  await subject.kids()
  const failures = [
    async () => answered('', {}, 503),
    async () => answered('', {}, 429),
    async () => answered('no json'),
    async () => answered({ no: 'keys' }),
    async () => answered({ keys: [old], filler: 'x'.repeat(70_000) }),
    async () => answered('', { location: 'https://elsewhere.example/' }, 302),
    () => Promise.reject(new TypeError('fetch failed')),
  ]
  subject.advance(300_000)
  for (const failure of failures) {
    subject.answer = failure
    assert.deepEqual(await subject.kids(), ['old'])
    assert.equal(await subject.keySets.readAnew(url), null)
    subject.advance(10_000)
  }
  assert.equal(subject.asked.length, 1 + failures.length, 'one request in ten seconds')
  subject.advance(3_600_000 - failures.length * 10_000 - 1)
  assert.deepEqual(await subject.kids(), ['old'])
  subject.advance(1)
  await assert.rejects(subject.kids(), (error) => {
    assert.ok(error instanceof KeySetError)
    assert.ok(error.cause instanceof TypeError)
    return true
  })
  subject.advance(10_000)
  subject.answer = async () => answered({ keys: [fresh] })
  assert.deepEqual(await subject.kids(), ['new'])
})

test('keys that are gone are trusted no more, at once', async () => {
  for (const status of [404, 410]) {
    const subject = createSubject()
    await subject.kids()
    subject.advance(10_000)
    subject.answer = async () => answered('', {}, status)
    assert.equal(await subject.keySets.readAnew(url), null)
    await assert.rejects(subject.kids(), { name: 'KeySetError', message: new RegExp(`${status}`) })
  }
  const emptied = createSubject()
  await emptied.kids()
  emptied.advance(300_000)
  emptied.answer = async () => answered({ keys: [] })
  assert.deepEqual(await emptied.kids(), [])
})

test('remembers a bounded number of addresses', async () => {
  const subject = createSubject(2)
  const addresses = ['a', 'b', 'c'].map((name) => `https://${name}.example/keys.json`)
  for (const address of addresses) await subject.kids(address)
  await subject.kids(addresses[1])
  await subject.kids(addresses[2])
  assert.equal(subject.asked.length, 3)
  await subject.kids(addresses[0])
  assert.equal(subject.asked.length, 4)
})

test('where requests may not wait for each other, each asks for itself', async (t) => {
  t.mock.getter(globalThis.navigator, 'userAgent', () => 'Cloudflare-Workers')
  const subject = createSubject()
  await Promise.all([subject.kids(), subject.kids()])
  assert.equal(subject.asked.length, 2)
  await subject.kids()
  assert.equal(subject.asked.length, 2)
})

test('follows https addresses, and those of this machine', () => {
  const good = [
    url,
    'HTTPS://HOOKS.example.com/keys.json',
    'http://localhost:8080/keys.json',
    'http://127.0.0.1/keys.json',
    'http://127.9.9.9/keys.json',
    'http://[::1]:1/keys.json',
    'http://hooks.localhost/keys.json',
  ]
  for (const address of good) assert.ok(keySetUrl(address), address)
  const bad = [
    'http://hooks.example.com/keys.json',
    'http://localhost.example.com/keys.json',
    'http://127.0.0.1.example.com/keys.json',
    'http://10.0.0.1/keys.json',
    'https://user@hooks.example.com/keys.json',
    'javascript:alert(1)',
    'hooks.example.com/keys.json',
    '',
  ]
  for (const address of bad) assert.equal(keySetUrl(address), null, address)
})
