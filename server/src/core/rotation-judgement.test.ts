import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  endpointModel as endpoint,
  type ModelReceiver,
  modelStart as T0,
} from '../../test/support/endpoint-model.ts'
import { AppError } from './errors.ts'
import { rotationState } from './rotation.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Takes a request where one of its signatures is by a key that it has. */
const having =
  (...known: ('new' | 'old')[]): ModelReceiver =>
  (keys) =>
    keys.some((key) => key !== 'wrong' && known.includes(key)) ? 204 : 401
const takesAnything: ModelReceiver = () => 200
const alwaysFails: ModelReceiver = () => 500
/** Looks at a request only where it has one signature. */
const takesOneSignature: ModelReceiver = (keys) =>
  keys.length > 1 || keys[0] === 'wrong' ? 401 : 204

type Model = ReturnType<typeof endpoint>

/** Lets time pass, with every look that falls due on the way. */
function follow(e: Model, ms: number, receiver: ModelReceiver | null): string[] {
  const acts: string[] = []
  const endsAt = e.now + ms
  for (let count = 0; count < 5000; count++) {
    const lookAt = e.nextLookAt()
    if (lookAt === null || lookAt > endsAt) break
    e.advance(Math.max(0, lookAt - e.now))
    const { act } = e.look(receiver)
    if (act !== null) acts.push(act)
  }
  e.advance(endsAt - e.now)
  return acts
}

const stateOf = (e: Model) => rotationState(e.latest() ?? assert.fail(), e.now)

describe('complete_when: verified', () => {
  test('proof retires the previous secret at once, within one interval of its being possible', () => {
    const e = endpoint()
    e.rotate({ completeWhen: 'verified' })
    assert.deepEqual(follow(e, HOUR_MS, having('old')), [])
    assert.deepEqual(e.signing(), ['sec_2', 'sec_1'])
    assert.deepEqual(follow(e, 15 * MINUTE_MS, having('old', 'new')), ['completed'])
    assert.equal(stateOf(e).completedBy, 'verified')
    assert.deepEqual(e.signing(), ['sec_2'])
  })

  test('the first look is at once, the next after 15 s, 30 s, 1 min and so on to 15 min', () => {
    const e = endpoint()
    e.rotate({ completeWhen: 'verified' })
    const gaps: number[] = []
    for (let count = 0; count < 9; count++) {
      const at = e.nextLookAt() ?? assert.fail()
      gaps.push((at - e.now) / 1000)
      e.advance(at - e.now)
      e.look(having('old'))
    }
    assert.deepEqual(gaps, [0, 15, 30, 60, 120, 240, 480, 900, 900])
  })

  test('without proof the previous secret signs to the cap; hold and warning come once each', () => {
    const e = endpoint()
    e.rotate({ completeWhen: 'verified', expireCurrentInSeconds: 86_400 })
    assert.deepEqual(follow(e, DAY_MS, having('old')), ['held', 'attention'])
    assert.equal(e.latest()?.attention, 'not_verified')
    assert.equal(stateOf(e).status, 'held')
    assert.deepEqual(follow(e, 29 * DAY_MS - 1, having('old')), [])
    assert.deepEqual(e.signing(), ['sec_2', 'sec_1'])
    e.advance(1)
    assert.deepEqual(e.signing(), ['sec_2'])
    assert.deepEqual(stateOf(e), {
      status: 'completed',
      completedBy: 'cap',
      closedAt: T0 + 30 * DAY_MS,
    })
  })

  test('a receiver that takes anything, or answers with errors, proves nothing', () => {
    for (const receiver of [takesAnything, alwaysFails]) {
      const e = endpoint()
      e.rotate({ completeWhen: 'verified' })
      assert.deepEqual(follow(e, 29 * DAY_MS, receiver), ['attention'])
      assert.deepEqual(e.signing(), ['sec_2', 'sec_1'])
    }
  })

  test('is looked at from its activation on where it was staged', () => {
    const e = endpoint()
    e.rotate({ completeWhen: 'verified', activateAt: T0 + DAY_MS })
    assert.equal(e.nextLookAt(), T0 + DAY_MS)
    assert.deepEqual(follow(e, DAY_MS, having('old', 'new')), ['completed'])
  })

  test('complete without proof is refused, and forced', () => {
    const e = endpoint()
    e.rotate({ completeWhen: 'verified' })
    assert.throws(() => e.complete(), refusal('receiver_not_verified'))
    e.complete(true)
    assert.equal(stateOf(e).completedBy, 'manual')
  })
})

describe('the hold', () => {
  test('a spike where nothing may be probed holds by itself, up to the cap', () => {
    const e = endpoint()
    e.rotate({ expireCurrentInSeconds: 3600 })
    e.reject()
    assert.equal(e.look(null).act, 'held')
    e.advance(29 * DAY_MS)
    assert.deepEqual(e.signing(), ['sec_2', 'sec_1'])
    e.advance(DAY_MS)
    assert.equal(stateOf(e).completedBy, 'cap')
  })

  test('a spike is explained by the drill where one may be sent', () => {
    const cases: [ModelReceiver, string | null, string | null][] = [
      [having('old'), 'held', null],
      [alwaysFails, 'held', null],
      [having('old', 'new'), null, null],
      [takesOneSignature, 'attention', 'cannot_parse_two'],
    ]
    for (const [receiver, act, attention] of cases) {
      const e = endpoint({ autoProbe: true })
      e.rotate()
      e.advance(MINUTE_MS)
      e.reject()
      assert.equal(e.nextLookAt(), e.now)
      assert.equal(e.look(receiver).act, act)
      assert.equal(e.latest()?.attention ?? null, attention)
      assert.equal(e.latest()?.watch.spike, null)
    }
  })

  test('the last hour of a long window is looked at where probes are allowed', () => {
    const e = endpoint({ autoProbe: true })
    e.rotate({ expireCurrentInSeconds: 7200 })
    assert.equal(e.nextLookAt(), T0 + HOUR_MS)
    assert.deepEqual(follow(e, HOUR_MS, having('old')), ['held'])
    for (const seconds of [7199, 3600]) {
      const short = endpoint({ autoProbe: true })
      short.rotate({ expireCurrentInSeconds: seconds })
      assert.equal(short.nextLookAt(), null)
    }
    const unasked = endpoint()
    unasked.rotate({ expireCurrentInSeconds: 7200 })
    assert.equal(unasked.nextLookAt(), null)
  })

  test('ends when the new secret is taken and 15 minutes passed without a refusal', () => {
    const e = endpoint({ autoProbe: true })
    e.rotate({ expireCurrentInSeconds: 3600 })
    e.advance(MINUTE_MS)
    e.reject()
    e.look(having('old'))
    assert.equal(stateOf(e).status, 'held')
    assert.deepEqual(follow(e, 14 * MINUTE_MS, having('old', 'new')), [])
    e.reject(1)
    assert.deepEqual(follow(e, 14 * MINUTE_MS, having('old', 'new')), [])
    assert.deepEqual(follow(e, 16 * MINUTE_MS, having('old', 'new')), ['released'])
    assert.equal(e.latest()?.previousSecretExpiresAt, T0 + HOUR_MS, 'the window is as it was')
  })

  test('ends when its window has passed already: then the previous secret stops at once', () => {
    const e = endpoint({ autoProbe: true })
    e.rotate({ expireCurrentInSeconds: 3600 })
    e.reject()
    e.look(having('old'))
    follow(e, 3 * HOUR_MS, having('old'))
    assert.deepEqual(e.signing(), ['sec_2', 'sec_1'])
    assert.deepEqual(follow(e, 16 * MINUTE_MS, having('new')), ['released'])
    assert.deepEqual(e.signing(), ['sec_2'])
    assert.equal(stateOf(e).completedBy, 'expiry')
  })

  test('a new window ends it, and so does every verb that closes the rotation', () => {
    const held = () => {
      const e = endpoint()
      e.rotate()
      e.reject()
      e.look(null)
      assert.equal(stateOf(e).status, 'held')
      return e
    }
    const patched = held()
    patched.window(60)
    assert.equal(stateOf(patched).status, 'overlapping')
    assert.equal(patched.latest()?.previousSecretExpiresAt, T0 + MINUTE_MS)
    const completed = held()
    completed.complete()
    assert.equal(stateOf(completed).status, 'completed')
    const cancelled = held()
    cancelled.cancel()
    assert.deepEqual(cancelled.signing(), ['sec_1'])
    const forced = held()
    forced.rotate({ force: true, expireCurrentInSeconds: 0 })
    assert.deepEqual(forced.signing(), ['sec_3'])
  })
})

test('cancel is refused where the receiver was seen to take the new secret and not the old one', () => {
  const e = endpoint()
  e.rotate()
  e.look(having('new'), false)
  assert.throws(() => e.cancel(), refusal('receiver_uses_new'))
  e.look(having('old', 'new'), false)
  e.cancel()
  assert.deepEqual(e.signing(), ['sec_1'])
})

test('cancel is not refused because of a receiver that takes anything: that proves nothing', () => {
  for (const isLook of [true, false]) {
    const e = endpoint()
    e.rotate({ completeWhen: 'verified' })
    e.look(takesAnything, isLook)
    e.cancel()
    assert.deepEqual(e.signing(), ['sec_1'])
  }
})

function refusal(code: string) {
  return (error: unknown) => error instanceof AppError && error.code === code
}

/**
 * Against a model that knows only what each party may rely on: a receiver that has a live secret is
 * never refused by time alone, proof alone completes, and a hold reaches to the cap.
 */
test('whatever happens in whatever order, the previous secret stops for a reason', (t) => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
  t.diagnostic(`SEED=${seed}`)
  const receivers = {
    old: having('old'),
    both: having('old', 'new'),
    new: having('new'),
    anything: takesAnything,
    errors: alwaysFails,
    single: takesOneSignature,
  }
  type ReceiverName = keyof typeof receivers
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('pass'), hours: fc.nat(40) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('receiver'),
        name: fc.constantFrom(...(Object.keys(receivers) as ReceiverName[])),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('reject') }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('verify') }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('window'), hours: fc.nat(60) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('complete', 'cancel') }) },
  )
  const rotation = fc.record({
    verified: fc.boolean(),
    autoProbe: fc.boolean(),
    hours: fc.integer({ min: 1, max: 72 }),
    stagedHours: fc.nat(10),
  })
  const property = fc.property(rotation, fc.array(step, { maxLength: 30 }), (made, steps) => {
    const e = endpoint({ autoProbe: made.autoProbe, capMs: 10 * DAY_MS })
    e.rotate({
      expireCurrentInSeconds: made.hours * 3600,
      completeWhen: made.verified ? 'verified' : 'expiry',
      ...(made.stagedHours === 0 ? {} : { activateAt: T0 + made.stagedHours * HOUR_MS }),
    })
    let receiver: ModelReceiver = receivers.old
    for (const each of steps as { do: string; hours: number; name: ReceiverName }[]) {
      const before = e.latest() ?? assert.fail()
      const wasOpen = stateOf(e).closedAt === null
      const acts: string[] = []
      try {
        if (each.do === 'pass') acts.push(...follow(e, each.hours * HOUR_MS, receiver))
        else if (each.do === 'receiver') receiver = receivers[each.name]
        else if (each.do === 'reject' && stateOf(e).status === 'overlapping') {
          e.reject()
          const { act } = e.look(made.verified || made.autoProbe ? receiver : null)
          if (act !== null) acts.push(act)
        } else if (each.do === 'verify' && wasOpen) acts.push(e.look(receiver, false).act ?? '')
        else if (each.do === 'window') {
          e.window(each.hours * 3600)
          acts.push('window')
        } else if (each.do === 'complete') e.complete()
        else if (each.do === 'cancel') e.cancel()
      } catch (error) {
        assert.ok(error instanceof AppError, String(error))
        assert.deepEqual(e.latest(), before, 'a refusal changes nothing')
      }
      check(e, { before, wasOpen, acts })
    }
  })
  fc.assert(property, { numRuns: Number(process.env.RUNS ?? 2000), seed })
})

function check(
  e: Model,
  was: {
    before: NonNullable<ReturnType<Model['latest']>>
    wasOpen: boolean
    acts: string[]
  },
): void {
  const rotation = e.latest() ?? assert.fail()
  const state = stateOf(e)
  const isOldLive = e.signing().includes('sec_1')
  assert.ok(e.signing().length > 0, 'an endpoint always signs')
  assert.equal(e.status('sec_1') === 'revoked' || e.status('sec_1') === 'expired', !isOldLive)
  if (state.closedAt === null) {
    assert.ok(isOldLive, 'the previous secret signs as long as the rotation is open')
    assert.equal(e.secrets[0]?.expiresAt, rotation.previousSecretExpiresAt)
  }
  if (state.status === 'held') assert.equal(rotation.previousSecretExpiresAt, rotation.capAt)
  if (state.completedBy === 'verified') {
    assert.equal(rotation.completeWhen, 'verified')
    assert.equal(rotation.evidence?.latest.verdict, 'verified', 'proof alone')
  }
  if (was.wasOpen && state.completedBy === 'expiry' && was.acts.length === 0) {
    assert.equal(was.before.completeWhen, 'expiry', 'what waits for proof does not just expire')
    assert.equal(was.before.heldAt, null, 'nor does what is held')
  }
}
