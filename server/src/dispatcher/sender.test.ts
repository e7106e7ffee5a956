import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { limits } from '../core/limits.ts'
import { formats } from '../formats/registry.ts'
import type { Exchange, OutgoingRequest } from './http-sender.ts'
import { createSender, type Sender } from './sender.ts'
import type {
  FromSender,
  SenderDelivery,
  SenderEndpoint,
  SenderProbe,
  SenderResult,
  SenderSecret,
} from './sender-messages.ts'

const attemptTimeoutMs = 1_000

describe('the sender', () => {
  let now: number
  let requests: { request: OutgoingRequest; done: (exchange: Exchange) => void }[]
  let messages: FromSender[]
  let soon: (() => void)[]
  let wake: { delayMs: number; work: () => void } | null
  let sender: Sender

  beforeEach(() => {
    now = 1_700_000_000_000
    requests = []
    messages = []
    soon = []
    wake = null
    let ids = 0
    sender = createSender({
      clock: { now: () => now, monotonic: () => now },
      newId: (prefix) => `${prefix}_${++ids}`,
      randomBytes: (size) => new Uint8Array(size).fill(9),
      http: { send: (request, done) => void requests.push({ request, done }) },
      guard: {
        checkUrl: (text) =>
          text.startsWith('https:')
            ? { ok: true, url: new URL(text) }
            : { ok: false, reason: 'scheme', detail: 'Only https is allowed.' },
      },
      // Four of them for an endpoint that was not tried yet.
      slotsMax: 6,
      attemptTimeoutMs,
      userAgent: 'Countersign/test',
      post: (message) => void messages.push(message),
      soon: (work) => void soon.push(work),
      wakeAfter: (delayMs, work) => {
        wake = { delayMs, work }
      },
    })
  })

  const learn = (changes: Partial<SenderEndpoint> = {}, acknowledge = 1) =>
    sender.receive({ kind: 'endpoints', acknowledge, endpoints: [endpoint(changes)] })
  const deliver = (count: number, changes: Partial<SenderDelivery> = {}) =>
    sender.receive({
      kind: 'deliveries',
      events: [
        {
          id: 'evt_1',
          projectId: `prj_${'0'.repeat(32)}`,
          type: 'a.b',
          timestamp: '2026-11-21T10:00:00.000Z',
          data: '{"n":1}',
          metadata: '{}',
        },
      ],
      deliveries: Array.from({ length: count }, (_, n) => delivery(`dlv_${n}`, changes)),
    })
  const delivery = (id: string, changes: Partial<SenderDelivery>): SenderDelivery => ({
    id,
    projectId: 'prj',
    endpointId: 'ep',
    event: 0,
    attemptNumber: 1,
    isRetry: false,
    isImmediate: false,
    leaseToken: 1,
    leaseUntilMonotonic: now + 16_000,
    ...changes,
  })
  const results = (): SenderResult[] => {
    for (const work of soon.splice(0)) work()
    return messages.flatMap((message) => (message.kind === 'results' ? message.results : []))
  }
  const kinds = () => results().map(({ verdict }) => verdict.kind)
  const answer = (index: number, statusCode: number, headers: Record<string, string> = {}) => {
    const sent = requests[index]
    assert.ok(sent)
    const requestHeaders = sent.request.sign()
    assert.ok(requestHeaders)
    const body = new Uint8Array()
    sent.done({
      kind: 'response',
      statusCode,
      headers,
      body,
      bodyTruncated: false,
      requestHeaders,
      durationMs: 5,
    })
    return requestHeaders
  }

  /** The connection is there, and nothing may be signed. */
  const refuseToSign = (index: number) => {
    const sent = requests[index]
    assert.equal(sent?.request.sign(), null)
    sent.done({
      kind: 'error',
      error: 'connect',
      detail: '',
      isOurShortage: false,
      response: null,
      requestHeaders: null,
      durationMs: 1,
    })
  }
  test('signs when the connection is ready, with what it has learned by then', () => {
    learn({ secrets: [secret('sec_old')] })
    deliver(1)
    learn({ secrets: [secret('sec_old'), secret('sec_new', 10)] }, 2)
    const headers = answer(0, 204)
    assert.equal(headers['webhook-secret-ids'], 'sec_new,sec_old')
    const [result] = results()
    assert.ok(result?.verdict.kind === 'attempted' && result.verdict.succeeded)
    assert.deepEqual(result.verdict.attempt.secretIds, ['sec_new', 'sec_old'])
    assert.deepEqual(
      messages.filter(({ kind }) => kind === 'acknowledged'),
      [1, 2].map((acknowledge) => ({ kind: 'acknowledged', acknowledge })),
    )
  })

  for (const { name: format, signaturesMax } of Object.values(formats)) {
    test(`adds the ids of the secrets to ${format} where they are wanted, and nothing else`, () => {
      const secrets = [secret('sec_old'), secret('sec_new', 10)]
      const sentWith = (changes: Partial<SenderEndpoint>) => {
        learn({ format, secrets, ...changes })
        deliver(1)
        return answer(requests.length - 1, 204)
      }
      const plain = sentWith({ hasSecretIds: false })
      const ids = signaturesMax === 1 ? 'sec_new' : 'sec_new,sec_old'
      assert.equal(plain['webhook-secret-ids'], format === 'standard' ? ids : undefined)
      assert.deepEqual(sentWith({ hasSecretIds: true }), { ...plain, 'webhook-secret-ids': ids })
      const unsigned = sentWith({ hasSecretIds: true, isSigned: false })
      assert.ok(!('webhook-secret-ids' in unsigned))
    })
  }

  test('a probe names the secrets that it is signed with, in every format where they are wanted', () => {
    learn({ format: 'stripe', hasSecretIds: true, secrets: [secret('sec_1'), secret('sec_2', 10)] })
    const event = {
      id: 'evt_1',
      projectId: 'prj_1',
      type: 'a.b',
      timestamp: '2026-11-21T10:00:00.000Z',
      data: '{}',
    }
    const keys = ['sec_1', 'sec_2'].map((secretId) => ({ secretId, isWrong: false }))
    sender.receive({
      kind: 'probe',
      probe: {
        ...{ id: 'prb_1', endpointId: 'ep', event: { ...event, metadata: '{}' } },
        ...{ keys, signedAgoMs: 0 },
      },
    })
    assert.equal(answer(0, 204)['webhook-secret-ids'], 'sec_1,sec_2')
  })

  test('masks custom header values and keeps signatures in what it reports', () => {
    learn({ headers: { 'X-Token': 'hidden-value' } })
    deliver(1)
    assert.equal(answer(0, 500)['X-Token'], 'hidden-value')
    const [result] = results()
    assert.ok(result?.verdict.kind === 'attempted')
    assert.ok(!JSON.stringify(result).includes('hidden-value'))
    assert.match(result.verdict.attempt.request.headers['webhook-signature'] ?? '', /^v1,/)
    assert.equal(result.verdict.attempt.error, 'http_status')
  })

  test('skips what is queued when the endpoint is disabled, and fails it when deleted', () => {
    learn()
    deliver(6)
    assert.equal(requests.length, 4, 'as many as there are slots for it')
    learn({ condition: 'disabled' }, 2)
    assert.deepEqual(kinds(), ['skipped', 'skipped'])
    learn({ condition: 'deleted' }, 3)
    deliver(1, { id: 'dlv_9' })
    assert.deepEqual(kinds().at(-1), 'endpoint_deleted')
  })

  test('a test goes out past a full queue and to a disabled endpoint', () => {
    learn({ condition: 'disabled' })
    deliver(1, { isImmediate: true })
    assert.equal(requests.length, 1)
  })

  test('gives back what has too little of its lease left for an attempt', () => {
    learn()
    deliver(8)
    now += 15_000 - limits.leaseRecordingMs - 1
    answer(0, 204)
    assert.deepEqual(kinds(), ['attempted'])
    assert.equal(requests.length, 7, 'the last moment for an attempt')
    now += 1
    answer(1, 204)
    assert.deepEqual(kinds(), ['attempted', 'attempted', 'released'])
    assert.equal(requests.length, 7, 'the late one was not attempted')
  })

  test('what goes back late uses up no turn, and takes with it what would overtake it', () => {
    learn({ rateLimitPerSecond: 1 })
    deliver(3)
    assert.equal(requests.length, 1, 'one a second')
    now += 15_500
    deliver(1, { id: 'dlv_later', leaseUntilMonotonic: now + 16_000 })
    assert.deepEqual(kinds(), ['released', 'released', 'released'])
    deliver(1, { id: 'dlv_again', leaseUntilMonotonic: now + 16_000 })
    assert.equal(requests.length, 2, 'the turn was still there')
  })

  test('an endpoint that asks for patience is not sent to, and its queue goes back', () => {
    learn()
    deliver(6)
    answer(0, 429, { 'retry-after': '60' })
    const verdicts = results().map(({ verdict }) => verdict)
    assert.deepEqual(
      verdicts.map(({ kind }) => kind),
      ['attempted', 'released', 'released'],
    )
    assert.ok(verdicts[0]?.kind === 'attempted')
    assert.equal(verdicts[0].retryAfterMs, 60_000)
    for (const verdict of verdicts.slice(1)) {
      assert.ok(verdict.kind === 'released' && verdict.notBefore !== null)
      assert.ok(verdict.notBefore >= now + 60_000)
    }
    assert.equal(requests.length, 4)
  })

  test('a URL that the configuration refuses is refused for good without a request', () => {
    learn({ url: 'http://example.com/' })
    deliver(1)
    const [result] = results()
    assert.ok(result?.verdict.kind === 'attempted' && result.verdict.isRefusedForGood)
    assert.equal(requests.length, 0)
  })

  test('a rate limit spaces the requests and asks to be woken', () => {
    learn({ rateLimitPerSecond: 1 })
    deliver(3)
    const early = requests.length
    assert.ok(early < 3)
    assert.ok(wake !== null && wake.delayMs > 0)
    now += 5_000
    wake.work()
    assert.ok(requests.length > early)
  })

  test('begins nothing for an endpoint that was read too long ago, until it is told', () => {
    learn({ freshUntilMonotonic: now })
    deliver(1)
    assert.equal(requests.length, 0)
    assert.ok(wake !== null && wake.delayMs > 0)
    sender.receive({ kind: 'fresh', endpointIds: ['ep'], freshUntilMonotonic: now + 10 })
    assert.equal(requests.length, 1)
    assert.equal(answer(0, 204)['webhook-secret-ids'], 'sec_1')
  })

  test('signs nothing with what grew too old while the connection was made: it is given back', () => {
    learn({ freshUntilMonotonic: now + 10 })
    deliver(1)
    now += 10
    refuseToSign(0)
    assert.deepEqual(kinds(), ['released'])
  })

  test('what somebody waits for is held until there are news, and signed by them', () => {
    learn({ freshUntilMonotonic: now + 10, secrets: [secret('sec_old')] })
    deliver(1, { isImmediate: true })
    now += 10
    refuseToSign(0)
    assert.deepEqual([kinds(), requests.length, wake?.delayMs], [[], 1, 50])
    wake?.work()
    assert.equal(requests.length, 1)
    learn({ freshUntilMonotonic: now + 1_000, secrets: [secret('sec_new')] }, 2)
    assert.equal(answer(1, 204)['webhook-secret-ids'], 'sec_new')
    assert.deepEqual(kinds(), ['attempted'])
  })

  test('what was held is not sent where the endpoint was deleted meanwhile', () => {
    learn({ freshUntilMonotonic: now + 10 })
    deliver(1, { isImmediate: true })
    now += 10
    refuseToSign(0)
    learn({ freshUntilMonotonic: now + 1_000, condition: 'deleted' }, 2)
    assert.deepEqual([kinds(), requests.length], [['endpoint_deleted'], 1])
  })

  test('what somebody waits for is given back when there are no news in time, and at a stop', () => {
    learn({ freshUntilMonotonic: now + 10 })
    deliver(2, { isImmediate: true })
    now += 10
    refuseToSign(0)
    now += 15_000 - limits.leaseRecordingMs
    wake?.work()
    assert.deepEqual(kinds(), ['released'])
    refuseToSign(1)
    sender.receive({ kind: 'stop' })
    assert.deepEqual(kinds(), ['released', 'released'])
    assert.equal(messages.at(-1)?.kind, 'idle')
  })

  test('a probe is signed by what is known when its connection is there', () => {
    const answers = () => messages.flatMap((each) => (each.kind === 'probed' ? [each.answer] : []))
    const probe = () => sender.receive({ kind: 'probe', probe: probeBy('sec_1') })
    learn()
    probe()
    learn({ secrets: [secret('sec_2', 10)] }, 2)
    refuseToSign(0)
    wake?.work()
    assert.deepEqual(
      answers().map(({ error }) => error),
      ['released'],
    )

    learn({ freshUntilMonotonic: now + 10 }, 3)
    probe()
    now += 10
    refuseToSign(1)
    assert.equal(requests.length, 2)
    sender.receive({ kind: 'fresh', endpointIds: ['ep'], freshUntilMonotonic: now + 1_000 })
    answer(2, 204)
    assert.deepEqual(
      answers().map(({ statusCode }) => statusCode),
      [null, 204],
    )
  })

  test('stops: gives the queue back and says when nothing is in flight', () => {
    learn()
    deliver(6)
    sender.receive({ kind: 'stop' })
    assert.deepEqual(kinds(), ['released', 'released'])
    for (let n = 0; n < 4; n++) answer(n, 204)
    assert.equal(results().length, 6)
    assert.equal(messages.at(-1)?.kind, 'idle')
  })
})

function endpoint(changes: Partial<SenderEndpoint>): SenderEndpoint {
  return {
    id: 'ep',
    projectId: 'prj',
    url: 'https://example.com/hook',
    format: 'standard',
    isSigned: true,
    hasSecretIds: false,
    condition: 'active',
    headers: {},
    rateLimitPerSecond: null,
    freshUntilMonotonic: Number.POSITIVE_INFINITY,
    secrets: [secret('sec_1')],
    ...changes,
  }
}

function secret(id: string, activatesAt = 0): SenderSecret {
  return {
    id,
    algorithm: 'hmac-sha256',
    keyBytes: new Uint8Array(32),
    createdAt: 0,
    activatesAt,
    expiresAt: null,
    revokedAt: null,
    expirySeenAt: null,
  }
}

function probeBy(secretId: string): SenderProbe {
  return {
    id: 'dlv_probe',
    endpointId: 'ep',
    event: {
      id: 'evt_probe',
      projectId: `prj_${'0'.repeat(32)}`,
      type: 'a.b',
      timestamp: '2026-11-21T10:00:00.000Z',
      data: '{}',
      metadata: '{}',
    },
    keys: [{ secretId, isWrong: false }],
    signedAgoMs: 0,
  }
}
