import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { RATE_FLOOR_PER_SECOND } from '../src/core/send-rate.ts'
import {
  createSimulation,
  type SimulatedEndpoint,
  type SimulatedReceiver,
  type SimulatedRequest,
} from './support/simulated-delivery.ts'
import {
  answers,
  flaps,
  inTurn,
  isDead,
  takesAll,
  takesAtMost,
  worksSlowly,
} from './support/simulated-receivers.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const slotsMax = 100
const attemptTimeoutMs = 15_000
const isLong = process.env.COUNTERSIGN_TEST_LONG !== undefined
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))

/** Delivery.md, Retry, over hours: what is promised of receivers that cannot take what is sent. */
describe(`delivery over hours (SEED=${seed})`, () => {
  for (const [perSecond, retryAfterSeconds, shareMin] of [
    [0.5, undefined, 0.7],
    [1, undefined, 0.7],
    [5, undefined, 0.9],
    [10, undefined, 0.9],
    [5, 1, 0.8],
    // Each time that it is asked for too much, it takes nothing for half a minute.
    [5, 30, 0.3],
  ] as const) {
    const asking =
      retryAfterSeconds === undefined ? '' : ` and then asks for ${retryAfterSeconds} s`
    test(`settles near what a receiver takes, ${perSecond} a second${asking}`, () => {
      const receiver = takesAtMost(
        perSecond,
        retryAfterSeconds === undefined ? {} : { retryAfterSeconds },
      )
      const { endpoint, healthy, pass } = simulate(receiver, perSecond * 1.5)
      pass(10 * minuteMs)
      for (let part = 0; part < (isLong ? 70 : 3); part++) {
        const before = endpoint.requests.length
        pass(20 * minuteMs)
        const sent = endpoint.requests.slice(before)
        const taken = sent.filter(isTaken).length
        const seen = `${taken} of ${sent.length} taken in 20 minutes`
        assert.ok(taken >= shareMin * perSecond * 20 * 60, seen)
        assert.ok(sent.length - taken <= 0.35 * sent.length, seen)
      }
      assertOrdered(endpoint)
      assertUnhurt(healthy)
    })
  }

  test('keeps a slow receiver busy, and a gateway that gives up on it from drowning', () => {
    const receiver = worksSlowly({ workers: 4, afterMs: 500, patienceMs: 5_000 })
    const { endpoint, healthy, pass } = simulate(receiver, 12)
    pass(2 * hourMs)
    assert.ok(
      endpoint.deliveredCount >= 0.95 * 8 * 2 * 3600,
      `${endpoint.deliveredCount} delivered`,
    )
    assert.ok(endpoint.deliveredCount >= 0.55 * endpoint.requests.length)
    assertUnhurt(healthy)
  })

  const outages: Record<string, SimulatedReceiver> = {
    'refuses connections': isDead('refuses'),
    'lets them hang': isDead('hangs'),
    'answers 429': answers(429),
    'answers 502': answers(502),
    'answers 503 and asks for ten minutes': answers(503, 600),
    'answers 500': answers(500),
  }
  for (const [name, outage] of Object.entries(outages)) {
    test(`is no storm for a receiver that comes back after it ${name} for an hour`, () => {
      const perSecond = 15
      const receiver = inTurn([
        { forMs: hourMs, receiver: outage },
        { forMs: 0, receiver: takesAtMost(perSecond) },
      ])
      const { endpoint, healthy, pass, since } = simulate(receiver, 5)
      pass(hourMs)
      const firstBack = endpoint.requests.length
      pass(hourMs)
      const back = endpoint.requests.slice(firstBack)
      // How much it takes is not known yet, so at first it may get all that has a slot, and again.
      const sentIn = (fromMs: number, ms: number) =>
        back.filter(
          ({ sentAt }) => since(sentAt) - hourMs >= fromMs && since(sentAt) - hourMs < fromMs + ms,
        )
      const resumedMs = since(back.find(isTaken)?.sentAt ?? Number.POSITIVE_INFINITY) - hourMs
      assert.ok(resumedMs <= 10 * minuteMs + 10_000, `taken again after ${resumedMs} ms`)
      for (let fromMs = 0; fromMs < 30 * minuteMs; fromMs += 10_000) {
        const sent = sentIn(fromMs, 10_000)
        const refused = sent.filter((request) => !isTaken(request)).length
        const isFirst = fromMs <= resumedMs
        const refusedMax = isFirst ? 2 * slotsMax : 0.3 * perSecond * 10
        assert.ok(refused <= refusedMax, `${refused} refused, ${fromMs / 1000} s after it is back`)
      }
      const aMinuteIn = sentIn(resumedMs + 2 * minuteMs, 10 * minuteMs).filter(isTaken).length
      assert.ok(aMinuteIn >= 0.9 * perSecond * 600, `${aMinuteIn} taken in ten minutes`)
      assertUnhurt(healthy)
    })
  }

  test('follows one that comes and goes', () => {
    for (const down of [answers(502), isDead('hangs'), isDead('refuses')]) {
      const { endpoint, healthy, pass } = simulate(flaps(3 * minuteMs, takesAtMost(20), down), 5)
      pass(2 * hourMs)
      const { deliveredCount, failedCount, pendingCount, acceptedCount } = endpoint
      const seen = `${deliveredCount} delivered, ${failedCount} failed, ${pendingCount} waiting`
      assert.ok(deliveredCount >= 0.75 * acceptedCount, seen)
      assert.ok(failedCount <= 0.03 * acceptedCount, seen)
      assertUnhurt(healthy)
    }
  })

  test('keeps every promise at once, whatever the receivers do', () => {
    fc.assert(
      fc.property(
        fc.array(anyEndpoint, { minLength: 2, maxLength: 5 }),
        anyFraction,
        keepsItsPromises,
      ),
      { numRuns: isLong ? 200 : 6, seed },
    )
  })
})

/** One endpoint of this kind, beside a healthy one of another project. */
function simulate(receiver: SimulatedReceiver, perSecond: number) {
  const simulation = createSimulation({ ...options, random: pseudoRandom(seed) })
  const begin = simulation.now
  return {
    endpoint: simulation.addEndpoint({ projectId: 'own', perSecond: () => perSecond, receiver }),
    healthy: simulation.addEndpoint({
      projectId: 'other',
      perSecond: () => 2,
      receiver: takesAll(),
    }),
    pass: simulation.pass,
    since: (at: number) => at - begin,
  }
}

const options = {
  slotsMax,
  attemptTimeoutMs,
  retryScheduleMs: [5_000, 60_000, 5 * minuteMs, 15 * minuteMs, 30 * minuteMs, 30 * minuteMs],
}

const isTaken = ({ statusCode }: SimulatedRequest) => statusCode === 204

/** First attempts leave in the order of acceptance, as far as the slots allow. */
function assertOrdered({ requests }: SimulatedEndpoint): void {
  const isStarted = new Set<number>()
  let next = 1
  for (const { number, isFirst } of requests) {
    if (!isFirst) continue
    isStarted.add(number)
    while (isStarted.delete(next)) next += 1
    const overtaken = Math.max(0, number - next - isStarted.size)
    assert.ok(overtaken <= slotsMax, `event ${number} overtook ${overtaken}`)
  }
}

/** One that takes everything gets it at once, whatever goes on elsewhere. */
function assertUnhurt({ requests, pendingCount, acceptedCount }: SimulatedEndpoint): void {
  const lateMs = requests.reduce((most, each) => Math.max(most, each.sentAt - each.acceptedAt), 0)
  assert.ok(lateMs <= 1_000, `an event waited ${lateMs} ms`)
  assert.ok(pendingCount <= 2)
  assert.equal(requests.length, acceptedCount)
}

const anyFraction = fc.integer({ min: 1, max: 2 ** 31 - 1 })
const anyReceiver = fc.oneof(
  fc.integer({ min: 1, max: 30 }).map((perSecond) => () => takesAtMost(perSecond)),
  fc.tuple(fc.integer({ min: 1, max: 30 }), fc.constantFrom(0, 1, 7, 40, 900)).map(
    ([perSecond, retryAfterSeconds]) =>
      () =>
        takesAtMost(perSecond, { retryAfterSeconds }),
  ),
  fc
    .record({
      workers: fc.integer({ min: 1, max: 5 }),
      afterMs: fc.integer({ min: 10, max: 3_000 }),
      patienceMs: fc.constantFrom(1_000, 5_000, 30_000),
    })
    .map((slow) => () => worksSlowly(slow)),
  fc.constantFrom('refuses' as const, 'hangs' as const).map((how) => () => isDead(how)),
  fc.constantFrom(429, 500, 502, 503, 504).map((statusCode) => () => answers(statusCode)),
  fc.tuple(fc.constantFrom(429, 503), fc.constantFrom(0, 5, 60, 3_600)).map(
    ([statusCode, seconds]) =>
      () =>
        answers(statusCode, seconds),
  ),
  fc.constant(() => takesAll()),
)
const anyEndpoint = fc.record({
  projectId: fc.constantFrom('a', 'b'),
  perSecond: fc.constantFrom(0.1, 1, 4, 12),
  limitPerSecond: fc.constantFrom(undefined, 2, 20),
  phases: fc.array(fc.tuple(fc.integer({ min: 5, max: 1_500 }), anyReceiver), {
    minLength: 1,
    maxLength: 4,
  }),
})
type AnyEndpoint = typeof anyEndpoint extends fc.Arbitrary<infer Value> ? Value : never

/** Half an hour or so of anything, then an hour in which everything is taken and nothing new comes. */
function keepsItsPromises(given: readonly AnyEndpoint[], fraction: number): void {
  const stopsAt = 40 * minuteMs
  const simulation = createSimulation({ ...options, random: pseudoRandom(fraction) })
  const begin = simulation.now
  const add = (each: AnyEndpoint) => {
    const phases = each.phases.map(([seconds, make]) => ({
      forMs: seconds * 1000,
      receiver: make(),
    }))
    const receiver = inTurn(phases)
    const healed = takesAll()
    return simulation.addEndpoint({
      projectId: each.projectId,
      perSecond: (elapsedMs) => (elapsedMs < stopsAt ? each.perSecond : 0),
      receiver: (elapsedMs) => (elapsedMs < stopsAt ? receiver(elapsedMs) : healed(elapsedMs)),
      ...(each.limitPerSecond === undefined ? {} : { limitPerSecond: each.limitPerSecond }),
    })
  }
  const endpoints = given.map(add)
  const healthy = simulation.addEndpoint({
    projectId: 'b',
    perSecond: (elapsedMs) => (elapsedMs < stopsAt ? 1 : 0),
    receiver: takesAll(),
  })
  const stallMaxMs = 1000 / RATE_FLOOR_PER_SECOND + attemptTimeoutMs + 2_000
  while (simulation.now < begin + stopsAt) {
    simulation.pass(10_000)
    for (const endpoint of endpoints) assertNotStalled(endpoint, simulation.now, stallMaxMs)
  }
  // An hour's Retry-After, and then the schedule.
  simulation.pass(6 * hourMs)
  for (const [index, endpoint] of endpoints.entries()) {
    assert.equal(endpoint.pendingCount, 0, 'everything comes to its end')
    assert.equal(endpoint.deliveredCount + endpoint.failedCount, endpoint.acceptedCount)
    assert.equal(endpoint.requests.filter(isTaken).length, endpoint.deliveredCount, 'taken once')
    assertOrdered(endpoint)
    assertPatient(endpoint)
    assertLimited(endpoint, given[index]?.limitPerSecond)
  }
  assertUnhurt(healthy)
}

/** While something waits that may be sent, it is not long until a request is. */
function assertNotStalled(endpoint: SimulatedEndpoint, now: number, stallMaxMs: number): void {
  if (!endpoint.hasWaiting) return
  const last = endpoint.requests.at(-1)
  const pausedUntil = Math.max(0, ...endpoint.requests.slice(-slotsMax * 2).map(pauseEndOf))
  const quietMs = now - Math.max(last?.sentAt ?? 0, pausedUntil, endpoint.waitingSince)
  assert.ok(quietMs <= stallMaxMs, `nothing was sent for ${quietMs} ms`)
}

/** Nothing is sent before the time that `Retry-After` asked for, but what was on its way. */
function assertPatient({ requests }: SimulatedEndpoint): void {
  const answered = requests.filter(({ retryAfterMs }) => retryAfterMs !== null)
  answered.sort((a, b) => a.endedAt - b.endedAt)
  let [index, pausedUntil] = [0, 0]
  for (const { sentAt } of requests) {
    for (; index < answered.length && (answered[index]?.endedAt ?? 0) < sentAt; index++) {
      const request = answered[index]
      if (request !== undefined) pausedUntil = Math.max(pausedUntil, pauseEndOf(request))
    }
    assert.ok(sentAt >= pausedUntil, `sent ${pausedUntil - sentAt} ms before the pause was over`)
  }
}

function pauseEndOf({ endedAt, retryAfterMs }: SimulatedRequest): number {
  return retryAfterMs === null ? 0 : endedAt + retryAfterMs
}

/** The owner's limit holds in any second. */
function assertLimited({ requests }: SimulatedEndpoint, limitPerSecond: number | undefined): void {
  if (limitPerSecond === undefined) return
  for (const [index, { sentAt }] of requests.entries()) {
    const earlier: SimulatedRequest | undefined = requests[index - limitPerSecond]
    assert.ok(earlier === undefined || sentAt - earlier.sentAt >= 1_000)
  }
}

/** From 0 to 1, the same row for the same seed. */
function pseudoRandom(from: number): () => number {
  let state = from % 2 ** 31
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
}
