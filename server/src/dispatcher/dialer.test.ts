import assert from 'node:assert/strict'
import { connect, Socket } from 'node:net'
import { test } from 'node:test'
import { neverAnswers, ok } from '../../test/support/hostile-receivers.ts'
import { until } from '../../test/support/loopback-sender.ts'
import { createDeadlineWheel } from './deadline-wheel.ts'
import { createDialer, type DialResult } from './dialer.ts'
import { transportLimits } from './transport-limits.ts'

/**
 * A dialer whose addresses are kinds of places: `good` reaches the receiver, `silent` never
 * answers, `refusing` fails at once.
 */
function dialerTo(addresses: readonly string[], receiverPort: number) {
  const opened: { place: string; socket: Socket }[] = []
  const wheel = createDeadlineWheel({ monotonicNow: () => performance.now() })
  const dialer = createDialer({
    guard: {
      resolve: async () => ({
        ok: true,
        addresses: addresses.map((address) => ({ address, family: 4 })),
      }),
    },
    wheel,
    limits: { ...transportLimits, nextAddressAfterMs: 60 },
    openTcp({ address: place }) {
      const socket = place === 'good' ? connect(receiverPort, '127.0.0.1') : new Socket()
      if (place === 'refusing') socket.destroy(Object.assign(new Error('x'), { code: 'EREFUSED' }))
      opened.push({ place, socket })
      return socket
    },
  })
  const target = { hostname: 'receiver.test', port: receiverPort, isTls: false }
  return {
    opened,
    wheel,
    dial: (done: (result: DialResult) => void) => dialer.dial(target, done),
    dialled: () => new Promise<DialResult>((resolve) => void dialer.dial(target, resolve)),
  }
}

test('an address that stays silent is passed by, and closed when another accepts', async () => {
  await using receiver = await ok()
  const { dialled, opened, wheel } = dialerTo(['silent', 'good', 'good'], receiver.port)
  const startedAt = performance.now()
  const result = await dialled()
  assert.ok(performance.now() - startedAt >= 60, 'it was given its time')
  assert.ok(result.ok)
  assert.deepEqual(
    opened.map(({ place, socket }) => [place, socket.destroyed]),
    [
      ['silent', true],
      ['good', false],
    ],
  )
  assert.equal(wheel.size, 0, 'no further address is about to be tried')
  result.socket.destroy()
})

test('an address that refuses is followed by the next at once', async () => {
  await using receiver = await ok()
  const { dialled, opened } = dialerTo(['refusing', 'refusing', 'good'], receiver.port)
  const result = await dialled()
  assert.ok(result.ok)
  assert.equal(opened.length, 3)
  result.socket.destroy()
})

test('a silent address is waited for when all others refuse', async () => {
  const { dial, opened } = dialerTo(['silent', 'refusing', 'refusing'], 1)
  const results: DialResult[] = []
  const dialing = dial((result) => results.push(result))
  await until('all were tried', () => opened.length === 3)
  await until('the others are gone', () => opened.slice(1).every(({ socket }) => socket.closed))
  assert.equal(results.length, 0)
  dialing.cancel()
  assert.ok(opened[0]!.socket.destroyed)
})

test('a name with many addresses gets a bounded number of tries and one result', async () => {
  const { dial, opened } = dialerTo(Array(50).fill('refusing'), 1)
  const results: DialResult[] = []
  dial((result) => results.push(result))
  await until('there is a result', () => results.length > 0)
  await until('all are closed', () => opened.every(({ socket }) => socket.closed))
  assert.equal(opened.length, 4)
  assert.equal(results.length, 1)
  assert.ok(!results[0]!.ok && results[0]!.error === 'connect')
})

test('what is cancelled opens nothing more, closes what is open and reports nothing', async () => {
  const { dial, opened, wheel } = dialerTo(['silent', 'silent', 'silent'], 1)
  const early = dial(() => assert.fail('reported'))
  early.cancel()
  const late = dial(() => assert.fail('reported'))
  await until('two are open', () => opened.length === 2)
  late.cancel()
  assert.ok(opened.every(({ socket }) => socket.destroyed))
  assert.equal(wheel.size, 0)
})

test('a handshake that is cancelled is closed and reports nothing', async () => {
  await using receiver = await neverAnswers()
  const dialer = createDialer({
    guard: {
      resolve: async () => ({ ok: true, addresses: [{ address: '127.0.0.1', family: 4 }] }),
    },
    wheel: createDeadlineWheel({ monotonicNow: () => performance.now() }),
    limits: transportLimits,
  })
  const target = { hostname: 'receiver.test', port: receiver.port, isTls: true }
  const dialing = dialer.dial(target, () => assert.fail('reported'))
  await until('the handshake has begun', () => receiver.connectionsOpen === 1)
  dialing.cancel()
  await until('it is closed', () => receiver.connectionsOpen === 0)
})
