import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { Webhook } from 'standardwebhooks'
import { type DeliveryToSign, signedAt, signWebhook } from '../test/sign-webhook.ts'
import { toResponseHeaders, verifyWebhook } from './verify-webhook.ts'

const published = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  body: '{"test": 2432232314}',
  headers: {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
  now: new Date(1614265330_000),
}

const oldSecret = 'whsec_b2xkIHNlY3JldCBvZiB0d2VudHktZm91ciBieXRlcw=='
const newSecret = 'whsec_bmV3IHNlY3JldCBvZiB0d2VudHktZm91ciBieXRlcw=='
const otherSecret = makeSecret()
const body = '{"type":"order.paid","timestamp":"2026-11-21T10:00:00.000Z","data":{"order_id":7}}'

function makeSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`
}

/** Signs and verifies at the same moment. */
function verifySigned(delivery: Partial<DeliveryToSign>, secrets: string | string[]) {
  const signed = { body, secrets: [newSecret], ...delivery }
  return verifyWebhook(signed.body, signWebhook(signed), secrets, { now: signedAt })
}

test('verifies the published vector of Standard Webhooks', async () => {
  const { secret, body: vector, headers, now } = published
  assert.deepEqual(await verifyWebhook(vector, headers, secret, { now }), {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestamp: now,
    type: null,
    data: undefined,
    payload: { test: 2432232314 },
    matchedSecretIndex: 0,
    matchedSecretId: null,
  })
})

test('finds the right signature of the published vector among wrong and unknown ones', async () => {
  const { secret, body: vector, headers, now } = published
  const right = headers['webhook-signature']
  const signature = [
    'v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=',
    'v2,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=',
    right,
    'v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=',
  ].join(' ')
  const several = { ...headers, 'webhook-signature': signature }
  assert.equal((await verifyWebhook(vector, several, secret, { now })).id, headers['webhook-id'])

  const unknown = { ...headers, 'webhook-signature': right.replace('v1,', 'v2,') }
  await assert.rejects(verifyWebhook(vector, unknown, secret, { now }), { code: 'no_match' })
})

test('takes what the standardwebhooks package signs', async () => {
  const secret = makeSecret()
  const at = new Date()
  const headers = {
    'Webhook-Id': 'evt_1',
    'Webhook-Timestamp': String(Math.floor(at.getTime() / 1_000)),
    'Webhook-Signature': new Webhook(secret).sign('evt_1', at, body),
  }
  assert.equal((await verifyWebhook(body, headers, secret)).type, 'order.paid')
})

test('agrees with the standardwebhooks package on what to refuse', async () => {
  const secret = makeSecret()
  const timestampSeconds = Math.floor(Date.now() / 1_000)
  const good = signWebhook({ body, secrets: [secret], timestampSeconds })
  const cases: Record<string, string>[] = [
    good,
    { ...good, 'webhook-signature': `${good['webhook-signature']}`.slice(0, -1) },
    { ...good, 'webhook-signature': 'v1,' },
    { ...good, 'webhook-signature': 'v1' },
    { ...good, 'webhook-id': 'evt_2' },
    { ...good, 'webhook-id': '' },
    { ...good, 'webhook-timestamp': 'soon' },
    { ...good, 'webhook-timestamp': String(timestampSeconds + 1) },
    signWebhook({ body, secrets: [secret], timestampSeconds: timestampSeconds - 400 }),
    signWebhook({ body, secrets: [secret], timestampSeconds: timestampSeconds + 400 }),
    signWebhook({ body, secrets: [otherSecret], timestampSeconds }),
    signWebhook({ body, secrets: [otherSecret, secret], timestampSeconds }),
  ]
  const theirs = cases.map((headers) => isAccepted(() => new Webhook(secret).verify(body, headers)))
  assert.deepEqual(theirs, [true, ...Array(10).fill(false), true])
  for (const [index, headers] of cases.entries()) {
    const ours = await verifyWebhook(body, headers, secret).then(
      () => true,
      () => false,
    )
    assert.equal(ours, theirs[index], `case ${index}`)
  }
})

function isAccepted(verify: () => unknown): boolean {
  try {
    verify()
    return true
  } catch {
    return false
  }
}

test('takes the old and the new secret at every stage of a rotation', async () => {
  const stages: { signedWith: string[]; has: string[]; index: number }[] = [
    { signedWith: [oldSecret], has: [oldSecret, newSecret], index: 0 },
    { signedWith: [newSecret, oldSecret], has: [oldSecret], index: 0 },
    { signedWith: [newSecret, oldSecret], has: [newSecret], index: 0 },
    { signedWith: [newSecret], has: [oldSecret, newSecret], index: 1 },
  ]
  for (const { signedWith, has, index } of stages) {
    assert.equal((await verifySigned({ secrets: signedWith }, has)).matchedSecretIndex, index)
  }
})

test('tells which secret matched: the newest that both sides have', async () => {
  const delivery = { secrets: [newSecret, oldSecret], secretIds: ['sec_new', 'sec_old'] }
  const both = await verifySigned(delivery, [oldSecret, newSecret])
  assert.deepEqual([both.matchedSecretIndex, both.matchedSecretId], [1, 'sec_new'])
  const old = await verifySigned(delivery, [otherSecret, oldSecret])
  assert.deepEqual([old.matchedSecretIndex, old.matchedSecretId], [1, 'sec_old'])
})

test('tells the sender which secret it uses', async () => {
  const told = await verifySigned({ secretIds: ['sec_new'] }, newSecret)
  assert.deepEqual(toResponseHeaders(told), { 'webhook-verified-secret': 'sec_new' })
  const untold = await verifySigned({}, newSecret)
  assert.deepEqual(toResponseHeaders(untold), {})
})

test('counts signatures of unknown kinds when it looks for the id of the secret', async () => {
  const headers = signWebhook({ body, secrets: [newSecret], secretIds: ['sec_ed', 'sec_new'] })
  headers['webhook-signature'] = `v1a,AAAA ${headers['webhook-signature']}`
  const { matchedSecretId } = await verifyWebhook(body, headers, newSecret, { now: signedAt })
  assert.equal(matchedSecretId, 'sec_new')
})

test('reports no id where the ids do not line up or do not look like ids', async () => {
  for (const secretIds of [[], ['sec_a', 'sec_b'], ['sec_a\r\nset-cookie: x'], ['a'.repeat(129)]]) {
    const { matchedSecretId } = await verifySigned({ secretIds }, newSecret)
    assert.equal(matchedSecretId, null)
  }
})

test('takes headers of every shape', async () => {
  const record = signWebhook({ body, secrets: [newSecret] })
  const pairs = Object.entries(record)
  const shapes = [
    record,
    Object.fromEntries(pairs.map(([name, value]) => [name.toUpperCase(), value])),
    Object.fromEntries(pairs.map(([name, value]) => [name, [value]])),
    { ...record, cookie: undefined },
    new Headers(record),
    new Map(pairs),
    pairs,
    new Request('http://a.example', { headers: record }).headers,
  ]
  for (const headers of shapes) {
    assert.equal((await verifyWebhook(body, headers, newSecret, { now: signedAt })).id, 'evt_1')
  }
})

test('takes bodies of every shape, and checks bytes rather than text', async () => {
  const headers = signWebhook({ body, secrets: [newSecret] })
  const bytes = new TextEncoder().encode(body)
  const padded = Buffer.concat([Buffer.from('xx'), bytes, Buffer.from('xx')])
  const shapes = [
    body,
    bytes,
    Buffer.from(body),
    bytes.buffer,
    padded.subarray(2, -2),
    runInNewContext('Uint8Array.from(bytes)', { bytes }) as Uint8Array,
    runInNewContext('Uint8Array.from(bytes).buffer', { bytes }) as ArrayBuffer,
  ]
  for (const shape of shapes) {
    const { data } = await verifyWebhook(shape, headers, newSecret, { now: signedAt })
    assert.deepEqual(data, { order_id: 7 })
  }
})

test('refuses bytes that are not UTF-8, signed or not', async () => {
  const bytes = Uint8Array.of(0x22, 0xff, 0x22)
  await assert.rejects(verifySigned({ body: bytes }, newSecret), { code: 'malformed' })
  // The text that a careless decoder would make of them was never signed.
  const headers = signWebhook({ body: bytes, secrets: [newSecret] })
  const text = new TextDecoder().decode(bytes)
  await assert.rejects(verifyWebhook(text, headers, newSecret, { now: signedAt }), {
    code: 'no_match',
  })
})

test('narrows type and data by a union of events', async () => {
  type Paid = { type: 'order.paid'; data: { order_id: number } }
  type Shipped = { type: 'order.shipped'; data: { carrier: string } }
  const headers = signWebhook({ body, secrets: [newSecret] })
  const event = await verifyWebhook<Paid | Shipped>(body, headers, newSecret, { now: signedAt })
  assert.equal(event.type === 'order.paid' ? event.data.order_id : event.data.carrier, 7)
})

test('takes an empty body, and refuses a signed body that is not JSON', async () => {
  assert.equal((await verifySigned({ body: '' }, newSecret)).payload, undefined)
  await assert.rejects(verifySigned({ body: 'hello' }, newSecret), { code: 'malformed' })
})

test('refuses a change of any signed part', async () => {
  const headers = signWebhook({ body, secrets: [newSecret] })
  const tampered: [string, Record<string, string>][] = [
    [body.replace('7', '8'), headers],
    [`${body} `, headers],
    [body, { ...headers, 'webhook-id': 'evt_2' }],
    [body, { ...headers, 'webhook-timestamp': String(signedAt.getTime() / 1_000 + 1) }],
  ]
  for (const [sent, sentHeaders] of tampered) {
    await assert.rejects(verifyWebhook(sent, sentHeaders, newSecret, { now: signedAt }), {
      name: 'WebhookVerificationError',
      code: 'no_match',
    })
  }
  await assert.rejects(verifySigned({}, [oldSecret, otherSecret]), { code: 'no_match' })
})

test('refuses a delivery that lacks a header', async () => {
  for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature']) {
    for (const value of [undefined, '', []]) {
      const headers = { ...signWebhook({ body, secrets: [newSecret] }), [name]: value }
      await assert.rejects(verifyWebhook(body, headers, newSecret, { now: signedAt }), {
        code: 'missing_header',
      })
    }
  }
})

test('refuses timestamps outside of the tolerance, both ways', async () => {
  const nowSeconds = signedAt.getTime() / 1_000
  const verdict = (offset: number, toleranceSeconds?: number) => {
    const timestampSeconds = nowSeconds + offset
    const headers = signWebhook({ body, secrets: [newSecret], timestampSeconds })
    return verifyWebhook(body, headers, newSecret, { now: signedAt, toleranceSeconds }).then(
      () => 'accepted',
      ({ code }) => code,
    )
  }
  assert.equal(await verdict(-300), 'accepted')
  assert.equal(await verdict(300), 'accepted')
  assert.equal(await verdict(-301), 'timestamp_too_old')
  assert.equal(await verdict(301), 'timestamp_too_new')
  assert.equal(await verdict(-11, 10), 'timestamp_too_old')
  assert.equal(await verdict(0, 0), 'accepted')
  assert.equal(await verdict(1, 0), 'timestamp_too_new')
})

test('refuses timestamps that are not Unix seconds', async () => {
  const good = signWebhook({ body, secrets: [newSecret] })
  for (const timestamp of ['soon', '-1', '1e9', '1.5', ' 1', '0x10', '9'.repeat(13), 'NaN']) {
    const headers = { ...good, 'webhook-timestamp': timestamp }
    await assert.rejects(verifyWebhook(body, headers, newSecret, { now: signedAt }), {
      code: 'malformed',
    })
  }
})

test('refuses an id with a dot, whose signed bytes could be split in another way', async () => {
  // Signed: id `evt_1`, body `1795255200.{}`. Read: id `evt_1.<time>`, body `{}`.
  const seconds = signedAt.getTime() / 1_000
  const headers = signWebhook({ body: `${seconds}.{}`, secrets: [newSecret] })
  const split = { ...headers, 'webhook-id': `evt_1.${seconds}` }
  await assert.rejects(verifyWebhook('{}', split, newSecret, { now: signedAt }), {
    code: 'malformed',
  })
})

test('refuses a header that came twice', async () => {
  const pairs = Object.entries(signWebhook({ body, secrets: [newSecret] }))
  const twice: [string, string][] = [...pairs, ['Webhook-Id', 'evt_1']]
  await assert.rejects(verifyWebhook(body, twice, newSecret, { now: signedAt }), {
    code: 'no_match',
  })
})

test('explains a body that a parser has eaten', async () => {
  const headers = signWebhook({ body, secrets: [newSecret] })
  for (const eaten of [{}, undefined, null, 7, []]) {
    const call = verifyWebhook(eaten as unknown as string, headers, newSecret, { now: signedAt })
    await assert.rejects(call, { code: 'malformed', message: /body parser/ })
  }
})

test('takes a secret without its prefix', async () => {
  const bare = newSecret.slice('whsec_'.length)
  assert.equal((await verifySigned({}, bare)).id, 'evt_1')
  assert.equal((await verifySigned({}, bare.replace(/=+$/, ''))).id, 'evt_1')
})

test('refuses secrets and options that cannot be right, without repeating them', async () => {
  const headers = signWebhook({ body, secrets: [newSecret] })
  const wrongSecrets = [
    [],
    '',
    'whsec_',
    'hidden!',
    'whsec_aGlk\n',
    'whsec_a-_b',
    'whpk_aGlk',
    'abcde',
  ]
  for (const secrets of wrongSecrets) {
    await assert.rejects(
      verifyWebhook(body, headers, secrets, { now: signedAt }),
      (error) => error instanceof TypeError && !/hidden|aGlk|abcde/.test(error.message),
    )
  }
  const wrongOptions = [
    { toleranceSeconds: Number.NaN },
    { toleranceSeconds: -1 },
    { toleranceSeconds: Number.POSITIVE_INFINITY },
    { now: new Date('never') },
    { format: 'toString' as 'standard' },
  ]
  for (const options of wrongOptions) {
    await assert.rejects(verifyWebhook(body, headers, newSecret, options), TypeError)
  }
})

test('names the one wrong secret of a list, even after it was seen as part of another', async () => {
  await assert.rejects(verifySigned({}, [newSecret, 'not base64']), /secrets\[1\]/)
  assert.equal((await verifySigned({}, newSecret)).id, 'evt_1')
})
