import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  afterOutcome,
  createSendRate,
  RATE_FAILING_PER_SECOND,
  RATE_FLOOR_PER_SECOND,
  ratePerSecond,
  type SendRate,
  takeAt,
} from './send-rate.ts'

const begin = 1_800_000_000_000
const dayMs = 86_400_000
/** How many requests the simulated sender has under way at a time. */
const SLOTS = 500
const answer = (
  startedAt: number,
  statusCode: number | null,
  retryAfterMs: number | null = null,
) => ({
  startedAt,
  statusCode,
  retryAfterMs,
})

test('lets everything go at once while nothing limits it', () => {
  const rate = createSendRate(null)
  for (let count = 0; count < 10_000; count += 1) assert.equal(takeAt(rate, begin), 0)
  assert.equal(ratePerSecond(rate), null)
})

test('never exceeds the limit in any second, however its callers come', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 300 }),
      fc.array(fc.integer({ min: 0, max: 120 }), { minLength: 20, maxLength: 400, size: 'max' }),
      fc.boolean(),
      (limit, stepsMs, isPunctual) => {
        const rate = createSendRate(limit)
        const sentAt: number[] = []
        let now = begin
        for (const stepMs of stepsMs) {
          now += stepMs
          const again = takeAt(rate, now)
          if (again === 0) sentAt.push(now)
          else if (isPunctual) now = again
        }
        for (const [index, at] of sentAt.entries()) {
          const earlier = sentAt[index - limit]
          assert.ok(earlier === undefined || at - earlier >= 1000, `${limit + 1} in ${at} ms`)
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('reaches the limit, also when its caller is a few milliseconds late', () => {
  for (const limit of [1, 3, 10, 100, 750]) {
    const { sent } = simulate({ rate: createSendRate(limit), seconds: 60, lateMs: 5 })
    assert.ok(sent <= limit * 60 && sent >= limit * 60 * 0.97 - 1, `${sent} of ${limit * 60}`)
  }
})

test('heeds a limit that is set, changed or taken away at any time', () => {
  const rate = createSendRate(null)
  takeAt(rate, begin)
  rate.limitPerSecond = 1
  assert.equal(takeAt(rate, begin), 0)
  assert.ok(takeAt(rate, begin) > begin)
  rate.limitPerSecond = null
  assert.equal(takeAt(rate, begin + 1), 0)
})

test('pauses for as long as the receiver asks, at most 24 hours', () => {
  const rate = createSendRate(null)
  afterOutcome(rate, answer(begin, 503, 60_000), begin)
  assert.equal(takeAt(rate, begin + 1), begin + 60_000)
  afterOutcome(rate, answer(begin, 503, 10_000), begin + 2)
  afterOutcome(rate, answer(begin, 200), begin + 3)
  assert.equal(takeAt(rate, begin + 59_999), begin + 60_000)
  assert.equal(takeAt(rate, begin + 60_000), 0)
  afterOutcome(rate, answer(begin, 503, 10 * dayMs), begin + 60_001)
  assert.equal(takeAt(rate, begin + 60_002), begin + 60_001 + dayMs)
})

test('goes on slower after a pause that was asked for, and does not take the pause for calm', () => {
  const rate = createSendRate(null)
  simulate({ rate, seconds: 30, receiver: takesEvenly(20) })
  const from = begin + 30_000
  const before = ratePerSecond(rate) ?? Number.POSITIVE_INFINITY
  assert.ok(before < 40)
  takeAt(rate, from)
  afterOutcome(rate, answer(from, 429, 60_000), from)
  const paused = ratePerSecond(rate) ?? Number.POSITIVE_INFINITY
  assert.ok(paused <= before * 0.76, `${before} → ${paused} a second, without a second of answers`)
  const back = from + 60_000
  simulate({ rate, seconds: 5, from: back })
  const after = ratePerSecond(rate) ?? Number.POSITIVE_INFINITY
  assert.ok(after < before, `${after} a second five seconds after the pause`)
})

for (const latencyMs of [5, 400, 3000]) {
  test(`settles on what a receiver takes that answers within ${latencyMs} ms`, () => {
    for (const perSecond of [1, 5, 50, 400]) {
      for (const receiver of [takesEvenly(perSecond), takesEachSecond(perSecond)]) {
        const rate = createSendRate(null)
        simulate({ rate, seconds: 90, latencyMs, receiver })
        const later = simulate({ rate, seconds: 120, latencyMs, receiver, from: begin + 90_000 })
        const seen = `${perSecond}/s: ${later.accepted} taken, ${later.refused} refused in 120 s`
        // At one a second there is little to learn from: every refusal is a tenth of what is known.
        const [takenMin, refusedMax] = perSecond === 1 ? [0.6, 0.35] : [0.8, 0.15]
        const possible = Math.min(perSecond, SLOTS / (latencyMs / 1000))
        assert.ok(later.accepted >= takenMin * possible * 120, seen)
        assert.ok(later.refused <= refusedMax * later.sent, seen)
      }
    }
  })
}

test('is unlimited again within two minutes of the receiver taking everything', () => {
  const rate = createSendRate(null)
  simulate({ rate, seconds: 60, receiver: takesEvenly(20) })
  assert.ok((ratePerSecond(rate) ?? Number.POSITIVE_INFINITY) < 40)
  simulate({ rate, seconds: 120, from: begin + 60_000 })
  assert.equal(ratePerSecond(rate), null)
})

test('keeps trying a receiver that is out of order, and is back at speed soon after it', () => {
  for (const statusCode of [502, 504, 429]) {
    const rate = createSendRate(null)
    simulate({ rate, seconds: 20, perSecond: 100 })
    const outage = simulate({
      rate,
      seconds: 3600,
      perSecond: 100,
      from: begin + 20_000,
      receiver: () => statusCode,
    })
    assert.ok(outage.sent >= 3600 * RATE_FLOOR_PER_SECOND * 0.95, `${outage.sent} tries in an hour`)
    assert.ok(outage.sent <= 3600 * RATE_FLOOR_PER_SECOND * 1.5, `${outage.sent} tries in an hour`)
    const back = simulate({ rate, seconds: 40, perSecond: 100, from: begin + 3_620_000 })
    assert.ok(back.accepted >= 1000, `${back.accepted} taken in the first 40 s`)
    assert.ok((ratePerSecond(rate) ?? 1000) >= 100)
  }
})

test('is not slowed by a gateway that fails now and then', () => {
  const rate = createSendRate(null)
  let count = 0
  const receiver = () => {
    count += 1
    return count % 20 === 0 ? 502 : 200
  }
  const { accepted } = simulate({ rate, seconds: 120, perSecond: 100, receiver })
  assert.ok(accepted >= 0.9 * 120 * 100, `${accepted} of 12000`)
})

test('learns no rate from failures that say nothing about speed', () => {
  const rate = createSendRate(null)
  for (const statusCode of [null, 400, 401, 404, 410, 500, 301, 503]) {
    for (let count = 0; count < 100; count += 1) {
      afterOutcome(rate, answer(begin + count, statusCode), begin + count)
    }
  }
  assert.equal(ratePerSecond(rate), null)
})

test('tries one that only fails twenty times a second at most, until it succeeds once', () => {
  for (const statusCode of [null, 404, 500, 503]) {
    const rate = createSendRate(null)
    for (let count = 0; count < 19; count += 1) afterOutcome(rate, answer(begin, statusCode), begin)
    assert.equal(simulate({ rate, seconds: 0.005, latencyMs: 1_000 }).sent, SLOTS, 'not yet slowed')
    afterOutcome(rate, answer(begin, statusCode), begin + 10)
    const failing = { rate, seconds: 60, from: begin + 1_000 }
    const { sent } = simulate({ ...failing, receiver: () => statusCode ?? 500 })
    assert.ok(sent <= 60 * RATE_FAILING_PER_SECOND + 5, `${sent} tries in a minute`)
    assert.ok(sent >= 60 * RATE_FAILING_PER_SECOND * 0.95, `${sent} tries in a minute`)
    const back = simulate({ rate, seconds: 1, from: begin + 70_000 })
    assert.ok(back.sent > 50 * RATE_FAILING_PER_SECOND, 'one success is enough')
  }
})

test('takes what was on its way when it slowed down for one refusal, not for many', () => {
  const rate = createSendRate(null)
  for (let count = 0; count < 200; count += 1) takeAt(rate, begin)
  for (let count = 0; count < 200; count += 1) afterOutcome(rate, answer(begin, 429), begin + 50)
  const slowed = ratePerSecond(rate)
  assert.ok(slowed !== null && slowed >= 50 && slowed < 200, `${slowed} a second`)
})

test('never makes anybody wait for more than the floor, whatever the answers', () => {
  const step = fc.record({
    waitMs: fc.nat(3000),
    statusCode: fc.constantFrom(null, 200, 204, 429, 429, 502, 504, 500),
    delayMs: fc.nat(5000),
  })
  fc.assert(
    fc.property(
      fc.option(fc.integer({ min: 1, max: 100 })),
      fc.array(step, { maxLength: 300, size: 'max' }),
      (limit, steps) => {
        const rate = createSendRate(limit)
        let now = begin
        for (const { waitMs, statusCode, delayMs } of steps) {
          const again = takeAt(rate, now)
          assert.ok(Number.isInteger(again))
          assert.ok(again === 0 || (again > now && again <= now + 1000 / RATE_FLOOR_PER_SECOND + 1))
          afterOutcome(rate, answer(now - delayMs, statusCode), now)
          const perSecond = ratePerSecond(rate)
          assert.ok(perSecond === null || perSecond >= RATE_FLOOR_PER_SECOND)
          now += waitMs
        }
      },
    ),
  )
})

test('waits no longer when the clock steps back', () => {
  for (const stepMs of [1_000, 3_600_000, 365 * dayMs]) {
    const limited = createSendRate(1)
    takeAt(limited, begin)
    const earlier = begin - stepMs
    assert.ok(takeAt(limited, earlier) <= earlier + 1020)
    assert.equal(takeAt(limited, earlier + 1020), 0)

    const paused = createSendRate(null)
    afterOutcome(paused, answer(begin, 429, 30_000), begin)
    assert.equal(takeAt(paused, earlier), earlier + 30_000)
  }
})

test('goes on after a step of the clock as if there had been none', () => {
  const perSecond = 100
  for (const taken of [3, 20, 70, 1000]) {
    for (const seconds of [2, 10, 31]) {
      const rate = createSendRate(null)
      simulate({ rate, seconds, perSecond, receiver: takesEvenly(taken), lateMs: 1 })
      const stepped = structuredClone(rate)
      for (const create of [() => () => 200, () => () => 429, () => takesEvenly(taken)]) {
        const phase = { seconds: 8, perSecond }
        const from = rate.seenAt
        const straight = simulate({ ...phase, rate, receiver: create(), from })
        const earlier = stepped.seenAt - 3_600_000
        // Shows the step while no time has passed: how much has is more than anybody can tell later.
        afterOutcome(stepped, answer(earlier, null), earlier)
        const other = simulate({ ...phase, rate: stepped, receiver: create(), from: earlier })
        assert.deepEqual(other, straight)
        assert.equal(ratePerSecond(stepped), ratePerSecond(rate))
      }
    }
  }
})

interface Simulation {
  rate: SendRate
  seconds: number
  from?: number
  /** How many jobs come up; as many as can go where it is not given. */
  perSecond?: number
  /** From the sending to the outcome. */
  latencyMs?: number
  /** How much later than asked the caller comes back. */
  lateMs?: number
  receiver?: (now: number) => number
}

/** One endpoint, millisecond by millisecond. */
function simulate(simulation: Simulation): { sent: number; accepted: number; refused: number } {
  const { rate, seconds, from = begin, latencyMs = 20, lateMs = 0 } = simulation
  const receiver = simulation.receiver ?? (() => 200)
  const flying: { at: number; startedAt: number; statusCode: number }[] = []
  let [sent, accepted, refused, landed, waiting, askAt] = [0, 0, 0, 0, 0, from]
  for (let now = from; now < from + seconds * 1000; now += 1) {
    for (let next = flying[landed]; next && next.at <= now; next = flying[landed]) {
      landed += 1
      if (next.statusCode < 300) accepted += 1
      else refused += 1
      afterOutcome(rate, answer(next.startedAt, next.statusCode), now)
    }
    waiting = simulation.perSecond ? waiting + simulation.perSecond / 1000 : 1000
    while (now >= askAt && waiting >= 1 && sent - landed < SLOTS) {
      const again = takeAt(rate, now)
      if (again > 0) askAt = again + lateMs
      else {
        flying.push({ at: now + latencyMs, startedAt: now, statusCode: receiver(now) })
        sent += 1
        waiting -= 1
      }
    }
  }
  return { sent, accepted, refused }
}

/** A token bucket of one second's depth. */
function takesEvenly(perSecond: number): (now: number) => number {
  let tokens = perSecond
  let filledAt: number | null = null
  return (now) => {
    const elapsedMs = Math.max(0, now - (filledAt ?? now))
    tokens = Math.min(perSecond, tokens + (elapsedMs * perSecond) / 1000)
    filledAt = now
    if (tokens < 1) return 429
    tokens -= 1
    return 200
  }
}

/** So many in each second of the clock. */
function takesEachSecond(perSecond: number): (now: number) => number {
  let second = 0
  let taken = 0
  return (now) => {
    if (Math.floor(now / 1000) !== second) {
      second = Math.floor(now / 1000)
      taken = 0
    }
    taken += 1
    return taken <= perSecond ? 200 : 429
  }
}
