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
  failAtRead(1)
  await assert.rejects(directory.ensure(['ep_1', 'ep_2']), StorageUnavailableError)
  assert.deepEqual(told(), [])
  assert.equal(directory.get('ep_1'), undefined, 'the sender was told nothing of it')
  await directory.ensure(['ep_1'])
  assert.deepEqual(told(), [['ep_1']])
})

test('a change that cannot be read is read again, for it is committed', async () => {
  const { directory, told, failAtRead, errors, urls } = createSubject()
  await directory.ensure(['ep_1'])
  urls.set('ep_1', 'https://example.com/moved')
  failAtRead(1)
  await directory.refresh(changeOf({ endpointIds: ['ep_1', 'ep_unknown'] }))
  assert.deepEqual(told(), [['ep_1'], ['ep_1']])
  assert.equal(errors.length, 1)
})

test('a change of a project is read for those of its endpoints that are known', async () => {
  const { directory, messages, reads, settings } = createSubject()
  await directory.ensure(['ep_1', 'ep_2', 'ep_other'])
  settings.retryScheduleMs = [5]
  await directory.refresh(changeOf({ projectIds: ['prj_1'] }))
  assert.deepEqual(reads.at(-1), ['ep_1', 'ep_2'])
  assert.deepEqual(directory.get('ep_2')?.retryScheduleMs, [5])
  assert.deepEqual(directory.get('ep_other')?.retryScheduleMs, [1_000])
  settings.secretIdsInEveryFormat = true
  await directory.refresh(changeOf({ endpointIds: ['ep_other'], projectIds: ['prj_2'] }))
  assert.deepEqual(reads.at(-1), ['ep_other'])
  const news = messages.at(-1)
  assert.ok(news?.kind === 'endpoints')
  assert.deepEqual(
    news.endpoints.map(({ id, hasSecretIds }) => [id, hasSecretIds]),
    [['ep_other', true]],
  )
})

test('a change is not waited for once the server stops', async () => {
  const { directory, failAtRead, stop } = createSubject()
  await directory.ensure(['ep_1'])
  stop()
  failAtRead(1)
  await assert.rejects(
    directory.refresh(changeOf({ endpointIds: ['ep_1'] })),
    StorageUnavailableError,
  )
})

test('what was read holds for the ttl, counted from before the read; then it is read again', async () => {
  const { directory, messages, reads, pass } = createSubject({ cacheTtlMs: 100 })
  await directory.ensure(['ep_1'])
  const [told] = messages
  assert.ok(told?.kind === 'endpoints')
  assert.equal(told.endpoints[0]?.freshUntilMonotonic, 1_100)
  pass(99)
  assert.ok(directory.isFresh('ep_1'))
  await directory.ensure(['ep_1'])
  assert.equal(reads.length, 1)
  pass(1)
  assert.ok(!directory.isFresh('ep_1'))
  await directory.ensure(['ep_1'])
  assert.deepEqual(messages[1], {
    kind: 'fresh',
    endpointIds: ['ep_1'],
    freshUntilMonotonic: 1_200,
  })
})

test('a renewal tells the sender of what has changed alone', async () => {
  const { directory, messages, urls } = createSubject({ cacheTtlMs: 100 })
  await directory.ensure(['ep_1', 'ep_2'])
  urls.set('ep_2', 'https://example.com/moved')
  await directory.renew(['ep_1', 'ep_2'])
  const [, fresh, news] = messages
  assert.ok(fresh?.kind === 'fresh' && news?.kind === 'endpoints')
  assert.deepEqual(fresh.endpointIds, ['ep_1'])
  assert.deepEqual(
    news.endpoints.map(({ url }) => url),
    ['https://example.com/moved'],
  )
})

test('what waits behind a read is read together', async () => {
  const { directory, reads } = createSubject({ cacheTtlMs: 100 })
  await Promise.all(['ep_1', 'ep_2', 'ep_3'].map((id) => directory.ensure([id])))
  assert.deepEqual(reads, [['ep_1', 'ep_2', 'ep_3']])
})

/** A directory whose sender says at once that it has heard. */
function createSubject(options: { cacheTtlMs?: number } = {}) {
  let now = 1_000
  const reads: string[][] = []
  const urls = new Map<string, string>()
  /** Of every project. */
  const settings = { retryScheduleMs: null as number[] | null, secretIdsInEveryFormat: false }
  const messages: ToSender[] = []
  const errors: unknown[] = []
  let readsUntilFailure = Number.POSITIVE_INFINITY
  let isStopping = false

  const directory = createEndpointDirectory({
    storage: {
      cacheTtlMs: options.cacheTtlMs ?? 0,
      async listSenderEndpoints(ids) {
        reads.push([...ids])
        readsUntilFailure--
        if (readsUntilFailure === 0) throw new StorageUnavailableError('Failed on purpose.')
        return ids.map((id) => ({
          endpoint: {
            ...endpointOf(id),
            url: urls.get(id) ?? 'https://example.com/hook',
            projectId: id.startsWith('ep_other') ? 'prj_2' : 'prj_1',
          },
          secrets: [],
          retryScheduleMs: settings.retryScheduleMs,
          secretIdsInEveryFormat: settings.secretIdsInEveryFormat,
        }))
      },
    },
    clock: { monotonic: () => now },
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
    messages,
    reads,
    settings,
    urls,
    pass(ms: number) {
      now += ms
    },
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

function changeOf(changed: { endpointIds?: string[]; projectIds?: string[] }) {
  return { endpointIds: new Set(changed.endpointIds), projectIds: new Set(changed.projectIds) }
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
