import assert from 'node:assert/strict'
import { beforeEach, type TestContext, test } from 'node:test'
import { limits } from '../core/limits.ts'
import type { ClaimedDelivery, ClaimPace, ClaimRequest } from '../storage/storage.ts'
import { type Claimer, createClaimer } from './claimer.ts'
import { createHandOffRoom, type HandOffRoom } from './hand-off-room.ts'

const begin = 1_000_000

/** A store with deliveries of one endpoint that are due at these times. */
let due: number[]
let now: number
let requests: ClaimRequest[]
let sent: ClaimedDelivery[]
let room: HandOffRoom
let claimer: Claimer
let pace: ClaimPace | undefined
/** What happens while the store is asked when the next one is due. */
let meanwhile: () => unknown

beforeEach((t) => {
  const { mock } = t as TestContext
  mock.timers.enable({ apis: ['setTimeout'] })
  due = []
  now = begin
  requests = []
  sent = []
  pace = undefined
  meanwhile = () => {}
  room = createHandOffRoom()
  claimer = createClaimer({
    clock: { now: () => now, monotonic: () => now },
    room,
    pace: () => pace,
    send: (deliveries) => sent.push(...deliveries),
    onError: (message, error) => assert.fail(`${message} ${error}`),
    storage: {
      async claimDue(request) {
        requests.push(request)
        if (request.fullEndpointIds.has('end_1')) return []
        const taken = due.filter((at) => at <= now).slice(0, request.limit)
        due = due.filter((at) => !taken.includes(at))
        return taken.map(() => delivery())
      },
      async nextDueAt() {
        const next = due.length === 0 ? null : Math.min(...due)
        const happens = meanwhile
        meanwhile = () => {}
        void happens()
        return next
      },
    },
  })
})

async function pass(t: TestContext, ms: number): Promise<void> {
  now += ms
  t.mock.timers.tick(ms)
  await settle()
}

async function settle(): Promise<void> {
  for (let n = 0; n < 20; n++) await Promise.resolve()
}

test('asks the store when something is due, and not before', async (t) => {
  due = [begin + 5_000, begin + 9_000]
  claimer.wake()
  await settle()
  const asked = requests.length
  // Results of others arrive all the time.
  claimer.roomMade()
  await pass(t, 4_999)
  assert.equal(requests.length, asked)
  await pass(t, 1)
  assert.equal(sent.length, 1)
  await pass(t, 4_000)
  assert.equal(sent.length, 2)
})

test('wakes for what is due earlier than all that it knew', async (t) => {
  due = [begin + 60_000]
  claimer.wake()
  await settle()
  due.push(begin + 200)
  claimer.wake()
  await settle()
  await pass(t, 200)
  assert.equal(sent.length, 1)
})

test('does not sleep through what it hears of while it asks when to wake', async (t) => {
  meanwhile = () => {
    due.push(begin + 100)
    claimer.wake()
  }
  claimer.wake()
  await settle()
  await pass(t, 100)
  assert.equal(sent.length, 1)
})

test('loses nothing that it hears of while it goes to sleep', async () => {
  for (let turns = 0; turns < 10; turns++) {
    meanwhile = async () => {
      for (let n = 0; n < turns; n++) await Promise.resolve()
      due.push(now)
      claimer.wake()
    }
    claimer.wake()
    await settle()
    assert.equal(sent.length, turns + 1, `heard of ${turns} turns after the store was asked`)
  }
})

test('looks again as soon as an endpoint that was full has room', async () => {
  for (let n = 0; n < limits.handOffPerEndpointMax; n++) room.add('end_1', 1)
  due = [begin]
  claimer.wake()
  await settle()
  const asked = requests.length
  room.settle('end_1', 1, true)
  claimer.roomMade()
  await settle()
  assert.equal(requests.length, asked, 'one place is not worth a claim')
  for (let n = 0; n < limits.handOffPerEndpointMax / 4; n++) room.settle('end_1', 1, true)
  claimer.roomMade()
  await settle()
  assert.equal(sent.length, 1)
})

test('hears of room that is made while it asks when to wake', async () => {
  for (let n = 0; n < limits.handOffPerEndpointMax; n++) room.add('end_1', 1)
  due = [begin]
  meanwhile = () => {
    for (let n = 0; n < limits.handOffPerEndpointMax / 2; n++) room.settle('end_1', 1, true)
    claimer.roomMade()
  }
  claimer.wake()
  await settle()
  assert.equal(sent.length, 1)
})

test('passes on whom to hold back', async () => {
  pace = { endpointIds: new Set(['end_1']), perEndpointMax: 3, holdMs: 250 }
  claimer.wake()
  await settle()
  assert.deepEqual(
    requests.map((request) => request.pace),
    [pace],
  )
})

function delivery(): ClaimedDelivery {
  return {
    id: 'dlv_1',
    projectId: 'prj_1',
    endpointId: 'end_1',
    event: { id: 'evt_1', type: 'a.b', timestamp: '', data: '{}', metadata: '{}', createdAt: 0 },
    attemptCount: 1,
    seriesAttemptCount: 1,
    isTest: false,
    isEndpointDeleted: false,
    leaseToken: 1,
    leaseUntilMonotonic: begin + 60_000,
  }
}
