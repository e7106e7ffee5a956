import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newEndpointHealth } from '../core/health.ts'
import { StorageUnavailableError } from '../storage/storage.ts'
import { createEndpointDirectory } from './endpoint-directory.ts'
import type { ToSender } from './sender-messages.ts'

test('tells the sender of endpoints once, before what needs them', async () => {
  const { directory, told } = createSubject()
  await directory.ensure(['ep_1', 'ep_2'])
  await directory.ensure(['ep_2', 'ep_1'])
  assert.deepEqual(told(), [['ep_1', 'ep_2']])
})

test('an endpoint that could not be read is not known, nor are those read beside it', async () => {
  const { directory, told, failAtRead } = createSubject()
  failAtRead(2)
  await assert.rejects(directory.ensure(['ep_1', 'ep_2']), StorageUnavailableError)
  assert.deepEqual(told(), [])
  assert.equal(directory.get('ep_1'), undefined, 'the sender was told nothing of it')
  await directory.ensure(['ep_1'])
  assert.deepEqual(told(), [['ep_1']])
})

test('a change that cannot be read is read again, for it is committed', async () => {
  const { directory, told, failAtRead, errors } = createSubject()
  await directory.ensure(['ep_1'])
  failAtRead(1)
  await directory.refresh(['ep_1', 'ep_unknown'])
  assert.deepEqual(told(), [['ep_1'], ['ep_1']])
  assert.equal(errors.length, 1)
})

test('a change is not waited for once the server stops', async () => {
  const { directory, failAtRead, stop } = createSubject()
  await directory.ensure(['ep_1'])
  stop()
  failAtRead(1)
  await assert.rejects(directory.refresh(['ep_1']), StorageUnavailableError)
})

/** A directory whose sender says at once that it has heard. */
function createSubject() {
  const messages: ToSender[] = []
  const errors: unknown[] = []
  let readsUntilFailure = Number.POSITIVE_INFINITY
  let isStopping = false

  const directory = createEndpointDirectory({
    storage: {
      async getEndpointById(id) {
        readsUntilFailure--
        if (readsUntilFailure === 0) throw new StorageUnavailableError('Failed on purpose.')
        return endpointOf(id)
      },
      listSecrets: async () => [],
      getProject: async () => null,
    },
    secretBox: {
      seal: () => assert.fail('nothing is sealed'),
      isUnderFirstKey: () => true,
      open: () => assert.fail('there is nothing to open'),
    },
    defaultRetryScheduleMs: [1_000],
    post(message) {
      messages.push(message)
      if (message.kind === 'endpoints') {
        queueMicrotask(() => directory.acknowledged(message.acknowledge))
      }
    },
    isBusy: () => false,
    isStopping: () => isStopping,
    onError: (_message, error) => errors.push(error),
  })
  return {
    directory,
    errors,
    /** The ids of each message, in order. */
    told: () =>
      messages.map((message) => {
        assert.equal(message.kind, 'endpoints')
        return message.kind === 'endpoints' ? message.endpoints.map(({ id }) => id) : []
      }),
    failAtRead(read: number) {
      readsUntilFailure = read
    },
    stop() {
      isStopping = true
    },
  }
}

function endpointOf(id: string) {
  return {
    id,
    projectId: 'prj_1',
    uid: null,
    url: 'https://example.com/hook',
    description: null,
    eventTypes: ['*'],
    state: 'active' as const,
    ...newEndpointHealth,
    blockedAt: null,
    blockedReason: null,
    signingEnabled: true,
    unverifyingSince: null,
    format: 'standard',
    algorithm: 'hmac-sha256' as const,
    headerNames: [],
    sealedHeaders: null,
    metadata: {},
    dialect: null,
    rateLimitPerSecond: null,
    createdBy: { type: 'root' as const, id: null, name: null },
    createdAt: 0,
    updatedAt: 0,
    deletedAt: null,
  }
}
