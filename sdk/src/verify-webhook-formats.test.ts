import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { signDelivery, signedAt, signWebhook, testSecret } from '../test/sign-webhook.ts'
import {
  toResponseHeaders,
  type VerifiedWebhook,
  type VerifyWebhookOptions,
  verifyWebhook,
  type WebhookFormatName,
} from './verify-webhook.ts'

const now = signedAt
const nowSeconds = now.getTime() / 1_000
const timedFormats = ['standard', 'mobilerun', 'composio', 'h-company', 'dinie', 'stripe'] as const
const untimedFormats = ['devtune', 'github'] as const
const allFormats: readonly WebhookFormatName[] = [...timedFormats, ...untimedFormats]
const severalSignatures = ['standard', 'mobilerun', 'composio', 'dinie', 'stripe'] as const
const oneSignature = ['h-company', 'devtune', 'github'] as const

function verify(
  { body, headers }: { body: string; headers: Record<string, string | undefined> },
  secrets: string | string[],
  options: VerifyWebhookOptions<WebhookFormatName>,
): Promise<VerifiedWebhook<{ type: string | null; data: unknown }, WebhookFormatName>> {
  return verifyWebhook(body, headers, secrets, { now, ...options })
}

function without(headers: Record<string, string>, name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([each]) => each !== name))
}

test('reads id, time, type and data where each format has them', async () => {
  for (const format of allFormats) {
    const secret = testSecret(format, 'one')
    const { id, timestamp, type, data, matchedSecretIndex, matchedSecretId } = await verify(
      signDelivery({ format, secrets: [secret] }),
      [testSecret(format, 'other'), secret],
      { format },
    )
    const isTimed = format !== 'devtune' && format !== 'github'
    assert.deepEqual(
      { id, timestamp, type, data, matchedSecretIndex, matchedSecretId },
      {
        id: format === 'devtune' ? null : 'evt_1',
        timestamp: isTimed ? now : null,
        type: 'order.paid',
        data: { order_id: 7 },
        matchedSecretIndex: 1,
        matchedSecretId: null,
      },
      format,
    )
  }
})

test('types promise an id and a time for the formats that have them', async () => {
  const secret = testSecret('stripe', 'one')
  const { body, headers } = signDelivery({ format: 'stripe', secrets: [secret] })
  const told = await verifyWebhook(body, headers, secret, { now, format: 'stripe' })
  const id: string = told.id
  const timestamp: Date = told.timestamp
  assert.deepEqual([id, timestamp], ['evt_1', now])

  type Push = { type: 'order.paid'; data: { order_id: number } }
  const key = testSecret('github', 'one')
  const push = signDelivery({ format: 'github', secrets: [key] })
  const options = { now, format: 'github' } as const
  const typed = await verifyWebhook<Push, 'github'>(push.body, push.headers, key, options)
  const orderId: number = typed.data.order_id
  const none: null = typed.timestamp
  assert.deepEqual([orderId, none], [7, null])
  // With the event's type alone, a format that is chosen beside it leaves both open.
  const loose = await verifyWebhook<Push>(push.body, push.headers, key, options)
  const maybe: Date | null = loose.timestamp
  assert.equal(maybe, null)
})

test('formats with several signatures verify with either side of a rotation', async () => {
  for (const format of severalSignatures) {
    const [newest, old, other] = ['new', 'old', 'other'].map((name) =>
      testSecret(format, name),
    ) as [string, string, string]
    const delivery = signDelivery({ format, secrets: [newest, old] })
    for (const [secrets, index] of [
      [[old], 0],
      [[newest], 0],
      [[old, newest], 1],
      [[other, old], 1],
    ] as const) {
      const told = await verify(delivery, [...secrets], { format })
      assert.equal(told.matchedSecretIndex, index, format)
    }
    await assert.rejects(verify(delivery, other, { format }), { code: 'no_match' })
  }
})

test('formats with one signature verify with a list that holds its secret', async () => {
  for (const format of oneSignature) {
    const [newest, old] = ['new', 'old'].map((name) => testSecret(format, name)) as [string, string]
    for (const [signing, index] of [
      [old, 0],
      [newest, 1],
    ] as const) {
      const told = await verify(signDelivery({ format, secrets: [signing] }), [old, newest], {
        format,
      })
      assert.equal(told.matchedSecretIndex, index, format)
    }
  }
})

test('tells the id of the secret that matched, in every format, where the delivery names them', async () => {
  for (const format of allFormats) {
    const isSeveral = severalSignatures.some((each) => each === format)
    const names = isSeveral ? ['new', 'old'] : ['new']
    const { body, headers } = signDelivery({
      format,
      secrets: names.map((name) => testSecret(format, name)),
    })
    const named = { ...headers, 'webhook-secret-ids': names.map((name) => `sec_${name}`).join(',') }
    for (const name of names) {
      const told = await verify({ body, headers: named }, testSecret(format, name), { format })
      assert.equal(told.matchedSecretId, `sec_${name}`, format)
      assert.deepEqual(toResponseHeaders(told), { 'webhook-verified-secret': `sec_${name}` })
    }
    const more = { ...headers, 'webhook-secret-ids': 'sec_a,sec_b,sec_c' }
    const told = await verify({ body, headers: more }, testSecret(format, 'new'), { format })
    assert.equal(told.matchedSecretId, null, `${format}: the ids do not line up`)
  }
})

test('refuses a changed body, and another secret, in every format', async () => {
  for (const format of allFormats) {
    const secret = testSecret(format, 'one')
    const good = signDelivery({ format, secrets: [secret] })
    const tampered = { ...good, body: good.body.replace('7', '8') }
    await assert.rejects(verify(tampered, secret, { format }), { code: 'no_match' }, format)
    const stranger = testSecret(format, 'other')
    await assert.rejects(verify(good, stranger, { format }), { code: 'no_match' }, format)
  }
})

test('refuses a delivery that lacks any of its headers, in every format', async () => {
  const optional = ['x-composio-webhook-version', 'x-devtune-event']
  for (const format of allFormats) {
    const secret = testSecret(format, 'one')
    const { body, headers } = signDelivery({ format, secrets: [secret] })
    for (const name of Object.keys(headers)) {
      for (const changed of [without(headers, name), { ...headers, [name]: '' }]) {
        const call = verify({ body, headers: changed }, secret, { format })
        if (optional.includes(name)) await call
        else await assert.rejects(call, { code: 'missing_header' }, `${format} ${name}`)
      }
    }
  }
})

test('checks the time both ways, where one is signed', async () => {
  for (const format of allFormats) {
    const secret = testSecret(format, 'one')
    const isTimed = (timedFormats as readonly string[]).includes(format)
    for (const [offset, code] of [
      [-300, null],
      [300, null],
      [-301, 'timestamp_too_old'],
      [301, 'timestamp_too_new'],
    ] as const) {
      const timestampSeconds = nowSeconds + offset
      const call = verify(signDelivery({ format, secrets: [secret], timestampSeconds }), secret, {
        format,
      })
      if (code === null || !isTimed) await call
      else await assert.rejects(call, { code }, `${format} ${offset}`)
    }
  }
})

test('refuses signatures and times that are none, with malformed', async () => {
  const hex = 'a'.repeat(64)
  const cases: [WebhookFormatName, Record<string, string>][] = [
    ...['', 'sha1=', 'sha256:', 'SHA256='].map(
      (prefix): [WebhookFormatName, { [k: string]: string }] => [
        'github',
        { 'x-hub-signature-256': `${prefix}${hex}` },
      ],
    ),
    ['github', { 'x-hub-signature-256': `sha256=${hex.toUpperCase()}` }],
    ['github', { 'x-hub-signature-256': `sha256=${hex} ` }],
    ['devtune', { 'x-devtune-signature': `sha256=${hex}` }],
    ['devtune', { 'x-devtune-signature': hex.slice(1) }],
    ['devtune', { 'x-devtune-signature': `${hex}, ${hex}` }],
    ['h-company', { 'x-h-webhook-signature': hex }],
    ['h-company', { 'x-h-webhook-signature': `v1,${hex}` }],
    ['h-company', { 'x-h-webhook-timestamp': 'soon' }],
    ['h-company', { 'x-h-webhook-timestamp': ` ${nowSeconds}` }],
    ['stripe', { 'stripe-signature': `v1=${hex}` }],
    ['stripe', { 'stripe-signature': `t=soon,v1=${hex}` }],
    ['stripe', { 'stripe-signature': `t=${nowSeconds},t=${nowSeconds},v1=${hex}` }],
    ['stripe', { 'stripe-signature': `t=,v1=${hex}` }],
    ['composio', { 'webhook-timestamp': '1e9' }],
    ['dinie', { 'webhook-id': 'evt.1' }],
  ]
  for (const [format, changed] of cases) {
    const secret = testSecret(format, 'one')
    const { body, headers } = signDelivery({ format, secrets: [secret] })
    const call = verify({ body, headers: { ...headers, ...changed } }, secret, { format })
    await assert.rejects(call, { code: 'malformed' }, `${format} ${JSON.stringify(changed)}`)
  }
})

test('skips entries of stripe that it does not know', async () => {
  const secret = testSecret('stripe', 'one')
  const { body, headers } = signDelivery({ format: 'stripe', secrets: [secret] })
  const right = String(headers['stripe-signature'])
  const among = right.replace(',v1=', `,,v0=${'a'.repeat(64)},v2=x,scheme, v1=b,v1=,v1=`)
  const told = await verify({ body, headers: { 'stripe-signature': among } }, secret, {
    format: 'stripe',
  })
  assert.equal(told.id, 'evt_1')
  const unknown = { 'stripe-signature': right.replace('v1=', 'v0=') }
  await assert.rejects(verify({ body, headers: unknown }, secret, { format: 'stripe' }), {
    code: 'no_match',
  })
})

test('verifies the vector that GitHub publishes', async () => {
  const headers = {
    'X-Hub-Signature-256':
      'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
    'X-GitHub-Event': 'push',
    'X-GitHub-Delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
  }
  const secret = "It's a Secret to Everybody"
  // Signed, and no JSON: the signature was found to be right before the body was looked at.
  await assert.rejects(verifyWebhook('Hello, World!', headers, secret, { format: 'github' }), {
    code: 'malformed',
    message: /signed but is not JSON/,
  })
})

test('composio: reads V1 and V2 by their bodies, whatever the header says', async () => {
  const secret = 'composio-secret-whole-text'
  const sign = (body: string) => {
    const mac = createHmac('sha256', secret).update(`msg_1.${nowSeconds}.${body}`)
    return {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(nowSeconds),
      'webhook-signature': `v1,${mac.digest('base64')}`,
      'x-composio-webhook-version': 'V9',
    }
  }
  const v1 = '{"trigger_name":"GITHUB_PUSH","trigger_id":"ti_1","payload":{"a":1},"log_id":"l"}'
  const told1 = await verify({ body: v1, headers: sign(v1) }, secret, { format: 'composio' })
  assert.deepEqual([told1.id, told1.type, told1.data], ['msg_1', 'GITHUB_PUSH', { a: 1 }])
  const v2 = '{"type":"github_push","log_id":"l","data":{"trigger_id":"ti_1","a":1}}'
  const told2 = await verify({ body: v2, headers: sign(v2) }, secret, { format: 'composio' })
  assert.deepEqual([told2.type, told2.data], ['github_push', { trigger_id: 'ti_1', a: 1 }])
})

test('the key rules differ: one secret and one set of headers, and only one format fits', async () => {
  const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`
  const body = '{"type":"a.b","data":{}}'
  const decoded = { body, headers: signWebhook({ body, secrets: [secret] }) }
  for (const format of ['standard', 'mobilerun', 'dinie'] as const) {
    await verify(decoded, secret, { format })
  }
  await assert.rejects(verify(decoded, secret, { format: 'composio' }), { code: 'no_match' })
})

test('dinie: takes a secret without the prefix for its own text', async () => {
  const secret = 'an-old-secret-of-dinie-without-a-prefix'
  const body = '{"type":"a.b","data":{}}'
  const asBase64 = `whsec_${Buffer.from(secret).toString('base64')}`
  const headers = signWebhook({ body, secrets: [asBase64] })
  assert.equal((await verify({ body, headers }, secret, { format: 'dinie' })).id, 'evt_1')
})

test('refuses a signed body that is no event, where the format says what one is', async () => {
  const secret = 'secret-of-thirty-two-characters!'
  const stamp = String(nowSeconds)
  const mac = (body: string) =>
    createHmac('sha256', secret).update(`${stamp}.${body}`).digest('hex')
  const bodies = ['', '{}', '[]', 'null', '{"id":1,"type":"a","data":{}}', '{"type":"a","data":{}}']
  const notForH = ['{"id":"e","type":"a","data":null}', '{"id":"e","type":7,"data":{}}']
  for (const body of [...bodies, ...notForH, '{"id":"e","type":"a","data":"text"}']) {
    const headers = {
      'x-h-webhook-timestamp': stamp,
      'x-h-webhook-signature': `sha256=${mac(body)}`,
    }
    await assert.rejects(verify({ body, headers }, secret, { format: 'h-company' }), {
      code: 'malformed',
    })
  }
  for (const body of bodies) {
    const headers = { 'stripe-signature': `t=${stamp},v1=${mac(body)}` }
    await assert.rejects(verify({ body, headers }, secret, { format: 'stripe' }), {
      code: 'malformed',
    })
  }
})

test('devtune: takes the type from the body, which is signed', async () => {
  const secret = testSecret('devtune', 'one')
  const { body, headers } = signDelivery({ format: 'devtune', secrets: [secret] })
  const changed = { ...headers, 'x-devtune-event': 'order.cancelled' }
  const { type } = await verify({ body, headers: changed }, secret, { format: 'devtune' })
  assert.equal(type, 'order.paid')
})

test('takes any text for a text secret, and no empty one', async () => {
  for (const format of ['composio', 'h-company', 'devtune', 'stripe', 'github'] as const) {
    const secret = ' ü any text, not base64 '
    await verify(signDelivery({ format, secrets: [secret] }), secret, { format })
    await assert.rejects(
      verify(signDelivery({ format, secrets: [secret] }), ['', secret], { format }),
      { name: 'TypeError', message: /secrets\[0\]/ },
    )
  }
})

test('a key that one format knows is not taken for the same text in another', async () => {
  const secret = Buffer.alloc(33, 9).toString('base64')
  const body = '{"id":"e","type":"a.b","data":{}}'
  const headers = signWebhook({ body, secrets: [`whsec_${secret}`] })
  await verify({ body, headers }, secret, { format: 'standard' })
  await assert.rejects(verify({ body, headers }, secret, { format: 'dinie' }), { code: 'no_match' })
  await verify({ body, headers }, secret, { format: 'standard' })
})
