import assert from 'node:assert/strict'
import { mock, type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { createDeadlineWheel } from './deadline-wheel.ts'

/** A wheel whose timer and clock move by hand. */
function handWheel(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const clock = { nowMs: 0 }
  const wheel = createDeadlineWheel({ monotonicNow: () => clock.nowMs, tickMs: 20 })
  const pass = (ms: number, stepMs = 20): void => {
    for (let passed = 0; passed < ms; passed += stepMs) {
      clock.nowMs += stepMs
      t.mock.timers.tick(stepMs)
    }
  }
  return { clock, wheel, pass }
}

test('expires each deadline once, never early and at most two ticks late', (t) => {
  const { clock, wheel, pass } = handWheel(t)
  const delays = [0, 1, 19, 20, 21, 500, 10_239, 10_240, 10_241, 25_000]
  const expiredAt = new Map<number, number[]>(delays.map((delay) => [delay, []]))
  for (const delay of delays) wheel.arm(delay, () => expiredAt.get(delay)!.push(clock.nowMs))
  pass(30_000)
  for (const [delay, times] of expiredAt) {
    assert.equal(times.length, 1, `${delay}`)
    assert.ok(times[0]! >= delay && times[0]! <= delay + 40, `${delay} expired at ${times[0]}`)
  }
  assert.equal(wheel.size, 0)
})

test('a disarmed deadline never expires, and disarming again is harmless', (t) => {
  const { wheel, pass } = handWheel(t)
  const deadline = wheel.arm(100, () => assert.fail('expired'))
  const kept = t.mock.fn()
  wheel.arm(100, kept)
  wheel.disarm(deadline)
  wheel.disarm(deadline)
  assert.equal(wheel.size, 1)
  pass(1_000)
  assert.equal(kept.mock.callCount(), 1)
})

test('a stalled event loop delays deadlines and loses none', (t) => {
  const { clock, wheel } = handWheel(t)
  const expired: number[] = []
  // One for every slot of the wheel, and turns ahead.
  const delays = Array.from({ length: 3_000 }, (_, index) => index * 20)
  for (const delay of delays) wheel.arm(delay, () => expired.push(delay))
  clock.nowMs = 70_000
  t.mock.timers.tick(20)
  assert.deepEqual(
    expired.sort((a, b) => a - b),
    delays,
  )
})

test('what expires may disarm a neighbour that is due in the same tick and arm anew', (t) => {
  const { wheel, pass } = handWheel(t)
  const later = t.mock.fn()
  wheel.arm(100, () => {
    wheel.disarm(neighbour)
    wheel.arm(0, later)
  })
  const neighbour = wheel.arm(100, () => assert.fail('expired'))
  pass(200)
  assert.equal(later.mock.callCount(), 1)
  assert.equal(wheel.size, 0)
})

test('the timer rests while nothing is armed and starts again', (t) => {
  const setIntervalSpy = t.mock.method(globalThis, 'setInterval')
  const clearIntervalSpy = t.mock.method(globalThis, 'clearInterval')
  const clock = { nowMs: 0 }
  const wheel = createDeadlineWheel({ monotonicNow: () => clock.nowMs })
  assert.equal(setIntervalSpy.mock.callCount(), 0)

  for (const round of [1, 2]) {
    const expired = t.mock.fn()
    wheel.arm(50, expired)
    assert.equal(setIntervalSpy.mock.callCount(), round)
    const timer = setIntervalSpy.mock.calls.at(-1)!.result as NodeJS.Timeout
    assert.equal(timer.hasRef(), false, 'it does not keep the process alive')
    clock.nowMs += 1_000_000
    const onTick = setIntervalSpy.mock.calls.at(-1)!.arguments[0] as () => void
    onTick()
    assert.equal(expired.mock.callCount(), 1)
    assert.equal(clearIntervalSpy.mock.callCount(), round)
  }
})

test('closing forgets everything', (t) => {
  const { wheel, pass } = handWheel(t)
  for (let index = 0; index < 1_000; index++) wheel.arm(index * 30, () => assert.fail('expired'))
  wheel.close()
  assert.equal(wheel.size, 0)
  pass(40_000)
})

test('holds for any order of arming, disarming and passing of time', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('arm' as const), delayMs: fc.integer({ min: 0, max: 30_000 }) }),
    fc.record({ kind: fc.constant('disarm' as const), pick: fc.nat() }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 12_000 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      mock.timers.enable({ apis: ['setInterval'] })
      try {
        const clock = { nowMs: 0 }
        const wheel = createDeadlineWheel({ monotonicNow: () => clock.nowMs, tickMs: 20 })
        const armed = new Map<object, number>()
        for (const action of steps) {
          if (action.kind === 'arm') {
            const dueMs = clock.nowMs + action.delayMs
            const deadline = wheel.arm(action.delayMs, () => {
              assert.ok(clock.nowMs >= dueMs, 'early')
              assert.ok(armed.delete(deadline), 'twice, or after disarming')
            })
            armed.set(deadline, dueMs)
          } else if (action.kind === 'disarm') {
            const deadline = [...armed.keys()][action.pick % Math.max(1, armed.size)]
            if (deadline === undefined) continue
            armed.delete(deadline)
            wheel.disarm(deadline as ReturnType<typeof wheel.arm>)
          } else {
            clock.nowMs += action.ms
            mock.timers.tick(20)
            for (const dueMs of armed.values()) assert.ok(dueMs > clock.nowMs - 40, 'forgotten')
          }
          assert.equal(wheel.size, armed.size)
        }
        wheel.close()
      } finally {
        mock.timers.reset()
      }
    }),
    { numRuns: 200 },
  )
})
