import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SecretBox } from '../core/secret-box.ts'
import type { AttemptResult, ClaimedDelivery, Storage, Transaction } from '../storage/storage.ts'
import { createDispatcher } from './dispatcher.ts'
import type { FromSender, ToSender } from './sender-messages.ts'

/** The sender may hear later than the claimer that an endpoint was deleted: on PostgreSQL it does. */
test('what a deleted endpoint left behind ends without the sender', async () => {
  const stored = Promise.withResolvers<readonly AttemptResult[]>()
  const due = [delivery('dlv_1', 1), delivery('dlv_2', 2)]
  const { posted } = startDispatcher(due, async (results) => {
    stored.resolve(results)
    return { fencedDeliveryIds: [] }
  })
  const next = { status: 'failed', reason: 'endpoint_deleted', at: 1_000 }
  assert.deepEqual(
    (await stored.promise).map((result) => [result.deliveryId, result.attempt, result.next]),
    [
      ['dlv_1', null, next],
      ['dlv_2', null, next],
    ],
  )
  assert.deepEqual(posted, [])
})

test('what outlived its lease is claimed again, though nothing else happens', async () => {
  const due = [delivery('dlv_1', 1)]
  const recordedAgain = Promise.withResolvers<number | undefined>()
  startDispatcher(due, async ([result]) => {
    if (result?.leaseToken !== 1) {
      recordedAgain.resolve(result?.leaseToken)
      return { fencedDeliveryIds: [] }
    }
    // By then the claimer has seen that there is nothing else, and sleeps.
    await new Promise((resolve) => setImmediate(resolve))
    due.push(delivery('dlv_1', 2))
    return { fencedDeliveryIds: ['dlv_1'] }
  })
  assert.equal(await recordedAgain.promise, 2)
})

test('what is probed is read again before it is too old, until the answer is there', async () => {
  const readAgain = Promise.withResolvers<void>()
  const reads: string[][] = []
  const { dispatcher, posted, receive } = startDispatcher([], async () => assert.fail(), {
    cacheTtlMs: 30,
    async listSenderEndpoints(endpointIds) {
      reads.push([...endpointIds])
      if (reads.length === 4) readAgain.resolve()
      return []
    },
  })
  const answer = { at: 0, statusCode: 204, error: null, durationMs: 1 }
  const { event } = delivery('dlv_1', 1)
  const probed = dispatcher.probe({
    id: 'dlv_1',
    endpointId: 'end_1',
    event: { ...event, projectId: 'prj_1' },
    keys: [],
    signedAgoMs: 0,
  })
  await readAgain.promise
  assert.deepEqual(new Set(reads.flat()), new Set(['end_1']))
  assert.ok(posted.some(({ kind }) => kind === 'probe'))
  receive({ kind: 'probed', id: 'dlv_1', answer })
  assert.equal(await probed, answer)
  await dispatcher.stop(0)
})

type RecordAttempts = Transaction['recordAttempts']

/** On a store that has nothing but `due`. */
function startDispatcher(
  due: ClaimedDelivery[],
  recordAttempts: RecordAttempts,
  changes: Partial<Storage> = {},
) {
  const posted: ToSender[] = []
  let receive: (message: FromSender) => void = () => {}
  const storage = {
    cacheTtlMs: 0,
    claimDue: async () => due.splice(0),
    nextDueAt: async () => null,
    transact: (work: (tx: { recordAttempts: RecordAttempts }) => Promise<unknown>) =>
      work({ recordAttempts }),
    ...changes,
  }
  const dispatcher = createDispatcher({
    storage: storage as unknown as Storage,
    clock: { now: () => 1_000, monotonic: () => 1_000 },
    secretBox: {} as SecretBox,
    sender: {
      post: (message) => posted.push(message),
      onMessage(listener) {
        receive = listener
      },
    },
    randomFraction: () => 0.5,
    isClaiming: true,
    defaultRetryScheduleMs: [1_000],
    settleHealth: async () => assert.fail('it says nothing of anyone’s health'),
    onStored() {},
    onError: (message, error) => assert.fail(`${message} ${error}`),
  })
  dispatcher.start()
  return { dispatcher, posted, receive }
}

function delivery(id: string, leaseToken: number): ClaimedDelivery {
  return {
    id,
    projectId: 'prj_1',
    endpointId: 'end_1',
    event: { id: 'evt_1', type: 'a.b', timestamp: '', data: '{}', metadata: '{}', createdAt: 0 },
    attemptCount: 1,
    seriesAttemptCount: 1,
    isTest: false,
    isEndpointDeleted: true,
    leaseToken,
    leaseUntilMonotonic: 60_000,
  }
}
