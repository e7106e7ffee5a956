import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rootPrincipal } from '../core/authorization.ts'
import { AppError } from '../core/errors.ts'
import type { Event } from '../core/event.ts'
import type { Reads } from '../storage/storage.ts'
import { apiLimits } from './api-limits.ts'
import { createStreams, type StreamRequest } from './streams.ts'

/** Streams of a project with these events, on a clock that tests move. */
function create(...ids: string[]) {
  let now = 1_000_000
  const events = ids.map((id) => ({ ...event, id, createdAt: now }))
  const storage = {
    listEvents: async () => ({ items: events, nextKey: null }),
    getEvent: async (_project: string, id: string) => events.find((found) => found.id === id),
  } as unknown as Reads
  const streams = createStreams({ storage, clock: { now: () => now, monotonic: () => now } })
  const request: StreamRequest = {
    principal: rootPrincipal,
    projectId: 'p',
    tells: { events: true, deliveries: false },
    floor: 0,
    position: 0,
    requireAuthority: () => undefined,
  }
  return {
    wake: streams.wake,
    pass(ms: number) {
      now += ms
    },
    open(requireAuthority = request.requireAuthority) {
      const pieces = streams.open({ ...request, requireAuthority })(new AbortController().signal)
      return async () => (await pieces.next()).value ?? 'ended'
    },
  }
}

const event: Omit<Event, 'id' | 'createdAt'> = {
  projectId: 'p',
  type: 'order.paid',
  timestamp: '2026-11-21T10:00:00Z',
  data: '{}',
  metadata: {},
  deliveryCount: 0,
}

const refuse = () => {
  throw new AppError('unauthorized', { detail: 'No such key.' })
}

test('a stream ends, and says why, once whoever reads it may no longer', async () => {
  const { open, pass, wake } = create('evt_1')
  let mayRead = true
  const read = open(() => {
    if (!mayRead) refuse()
  })
  assert.match(await read(), /^retry: /)
  assert.match(await read(), /^event: event$/m)
  pass(apiLimits.streamAuthorityMs)
  wake()
  assert.equal(await read(), ': still here\n\n', 'looked at, and it may')
  mayRead = false
  pass(apiLimits.streamAuthorityMs)
  wake()
  assert.equal(await read(), 'event: end\ndata: {"code":"unauthorized"}\n\n')
  assert.equal(await read(), 'ended')
})

test('whoever reads slowly gets nothing more once they may no longer, however much there is', async () => {
  const { open, pass } = create('evt_1', 'evt_2', 'evt_3')
  const read = open(refuse)
  await read()
  assert.match(await read(), /evt_\d/)
  pass(apiLimits.streamAuthorityMs)
  assert.match(await read(), /^event: end$/m)
  assert.equal(await read(), 'ended')
})

test('a failure that says nothing of the right to read breaks the stream off', async () => {
  const { open, pass } = create('evt_1', 'evt_2')
  const read = open(() => {
    throw new Error('The store does not answer.')
  })
  await read()
  await read()
  pass(apiLimits.streamAuthorityMs)
  await assert.rejects(read, /does not answer/)
})

test('a stream does not wait for the time that the reader of another one takes', {
  timeout: 20_000,
}, async () => {
  const { open, pass, wake } = create('evt_1', 'evt_2')
  const slow = open()
  const other = open()
  for (const read of [slow, other]) assert.match(await read(), /^retry: /)
  for (const _ of ['evt_1', 'evt_2']) assert.match(await other(), /^event: event$/m)
  await slow()
  pass(10 * 60_000)
  await slow()
  // It is between two polls now, and what comes next is due to the time that has passed.
  const next = other()
  wake()
  assert.equal(await next, ': still here\n\n')
})
