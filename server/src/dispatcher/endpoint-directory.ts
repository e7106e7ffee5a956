import { Buffer } from 'node:buffer'
import { freshUntil, isFresh } from '../core/cache-lifetime.ts'
import type { Clock } from '../core/clock.ts'
import type { Endpoint } from '../core/endpoint.ts'
import { limits } from '../core/limits.ts'
import type { Secret } from '../core/secret.ts'
import { headersContext, type SecretBox, secretContext } from '../core/secret-box.ts'
import { formatOf } from '../formats/registry.ts'
import { readSecretText } from '../formats/secret-text.ts'
import {
  type CommittedChanges,
  type SenderEndpointRecord,
  type Storage,
  StorageUnavailableError,
} from '../storage/storage.ts'
import type { SenderEndpoint, SenderSecret, ToSender } from './sender-messages.ts'

/** What the main thread keeps of an endpoint that the sender knows. */
export interface KnownEndpoint {
  projectId: string
  retryScheduleMs: readonly number[]
  /** Until when the sender may sign with what it was told, on the monotonic clock. */
  freshUntilMonotonic: number
  /** All that the sender was told, still sealed, as a text: to see whether anything has changed. */
  sealedText: string
}

/**
 * Keeps the sender thread's knowledge of endpoints and their secrets fresh: it is told before
 * deliveries that need it, and after each commit that changed something it knows. Where other
 * processes write to the store too, what it was told holds for `cacheTtlMs` only, counted from
 * before it was read (rotation.md section 2).
 */
export interface EndpointDirectory {
  get(endpointId: string): KnownEndpoint | undefined
  /** True while the sender may sign for the endpoint. */
  isFresh(endpointId: string): boolean
  /** Resolves when the sender has been told of all of these; rejects where they cannot be read. */
  ensure(endpointIds: Iterable<string>): Promise<void>
  /**
   * Resolves when the sender has said that it works by the new state of those it knows: the
   * endpoints that were changed, and all of the projects that were, whose settings they follow. The
   * change is committed, so a store that cannot be read is asked again until it can.
   */
  refresh(changes: Pick<CommittedChanges, 'endpointIds' | 'projectIds'>): Promise<void>
  /** Reads again, in one go, what will be out of date soon; rejects where it cannot be read. */
  renew(endpointIds: Iterable<string>): Promise<void>
  acknowledged(acknowledge: number): void
}

const tryAgainMs = 250
/** In one read, so that other news need not wait long behind it. */
const renewedAtOnceMax = 1_000

export interface EndpointDirectoryOptions {
  storage: Pick<Storage, 'listSenderEndpoints' | 'cacheTtlMs'>
  clock: Pick<Clock, 'monotonic'>
  secretBox: SecretBox
  defaultRetryScheduleMs: readonly number[]
  post: (message: ToSender) => void
  /** True while the sender may still hold deliveries of the endpoint. */
  isBusy: (endpointId: string) => boolean
  isStopping: () => boolean
  onError: (message: string, error: unknown) => void
}

export function createEndpointDirectory(options: EndpointDirectoryOptions): EndpointDirectory {
  const { storage, clock } = options
  const known = new Map<string, KnownEndpoint>()
  const waiting = new Map<number, () => void>()
  let lastAcknowledge = 0
  /** One load after the other, so that news of an endpoint never overtake newer news of it. */
  let tail: Promise<unknown> = Promise.resolve()
  /** What waits for its turn to be loaded: the first turn takes all of it. */
  const wanted = new Set<string>()

  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const result = tail.then(work)
    tail = result.catch(() => undefined)
    return result
  }
  const isFreshNow = (endpointId: string) =>
    isFresh(known.get(endpointId)?.freshUntilMonotonic ?? Number.NEGATIVE_INFINITY, clock)

  const tell = async (endpointIds: readonly string[]): Promise<{ applied: Promise<void> }> => {
    const freshUntilMonotonic = freshUntil(storage.cacheTtlMs, clock)
    const records = await storage.listSenderEndpoints(endpointIds)
    const news: SenderEndpoint[] = []
    const read = new Map<string, KnownEndpoint>()
    const unchangedIds: string[] = []
    for (const record of records) {
      const { id } = record.endpoint
      const sealedText = sealedTextOf(record)
      const isUnchanged = known.get(id)?.sealedText === sealedText
      if (isUnchanged) unchangedIds.push(id)
      else news.push(senderEndpointOf(record, freshUntilMonotonic, options.secretBox))
      const { projectId } = record.endpoint
      const retryScheduleMs = record.retryScheduleMs ?? options.defaultRetryScheduleMs
      read.set(id, { projectId, retryScheduleMs, freshUntilMonotonic, sealedText })
    }
    // Not before all of them are read: what counts as known, the sender must have been told.
    for (const [id, endpoint] of read) known.set(id, endpoint)
    const acknowledge = ++lastAcknowledge
    // Wrapped, so that awaiting the telling does not await the sender as well.
    const applied = new Promise<void>((resolve) => waiting.set(acknowledge, resolve))
    if (unchangedIds.length > 0) {
      options.post({ kind: 'fresh', endpointIds: unchangedIds, freshUntilMonotonic })
    }
    options.post({ kind: 'endpoints', endpoints: news, acknowledge })
    forgetOldest()
    return { applied }
  }

  const tellAtLast = async (endpointIds: readonly string[]) => {
    for (;;) {
      try {
        return await tell(endpointIds)
      } catch (error) {
        if (!(error instanceof StorageUnavailableError) || options.isStopping()) throw error
        options.onError('A change could not be read for the sender; trying again.', error)
        await new Promise((resolve) => setTimeout(resolve, tryAgainMs))
      }
    }
  }

  const forgetOldest = () => {
    if (known.size <= limits.senderEndpointsMax) return
    const endpointIds: string[] = []
    for (const id of known.keys()) {
      if (endpointIds.length >= known.size - limits.senderEndpointsMax) break
      if (!options.isBusy(id)) endpointIds.push(id)
    }
    for (const id of endpointIds) known.delete(id)
    if (endpointIds.length > 0) options.post({ kind: 'forget', endpointIds })
  }

  return {
    get: (endpointId) => known.get(endpointId),
    isFresh: isFreshNow,
    ensure(endpointIds) {
      const own = [...endpointIds]
      for (const id of own) if (!isFreshNow(id)) wanted.add(id)
      return inOrder(async () => {
        // What follows is posted after this message, and messages keep their order.
        if (own.every(isFreshNow)) return
        for (const id of own) wanted.add(id)
        const all = [...wanted]
        wanted.clear()
        await tell(all)
      })
    },
    async refresh({ endpointIds, projectIds }) {
      const told = await inOrder(async () => {
        const affected = new Set([...endpointIds].filter((id) => known.has(id)))
        if (projectIds.size > 0) {
          for (const [id, { projectId }] of known) if (projectIds.has(projectId)) affected.add(id)
        }
        return affected.size === 0 ? null : tellAtLast([...affected])
      })
      await told?.applied
    },
    async renew(endpointIds) {
      const ids = [...endpointIds]
      for (let at = 0; at < ids.length; at += renewedAtOnceMax) {
        await inOrder(() => tell(ids.slice(at, at + renewedAtOnceMax)))
      }
    },
    acknowledged(acknowledge) {
      waiting.get(acknowledge)?.()
      waiting.delete(acknowledge)
    },
  }
}

/** Everything that `senderEndpointOf` makes use of. */
function sealedTextOf(record: SenderEndpointRecord): string {
  const { endpoint, secrets, secretIdsInEveryFormat } = record
  const { url, format, signingEnabled, state, deletedAt, rateLimitPerSecond } = endpoint
  return JSON.stringify([
    ...[url, format, signingEnabled, state, deletedAt, rateLimitPerSecond],
    secretIdsInEveryFormat,
    base64Of(endpoint.sealedHeaders),
    secrets.map((secret) => [
      ...[secret.id, secret.activatesAt, secret.expiresAt, base64Of(secret.sealedValue)],
    ]),
  ])
}

function base64Of(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('base64')
}

function senderEndpointOf(
  { endpoint, secrets, secretIdsInEveryFormat }: SenderEndpointRecord,
  freshUntilMonotonic: number,
  secretBox: SecretBox,
): SenderEndpoint {
  const isDeleted = endpoint.deletedAt !== null
  const headers =
    endpoint.sealedHeaders === null
      ? {}
      : JSON.parse(secretBox.open(endpoint.sealedHeaders, headersContext(endpoint.id)))
  return {
    id: endpoint.id,
    projectId: endpoint.projectId,
    url: endpoint.url,
    format: endpoint.format,
    isSigned: endpoint.signingEnabled,
    hasSecretIds: secretIdsInEveryFormat,
    condition: isDeleted ? 'deleted' : endpoint.state,
    headers,
    rateLimitPerSecond: endpoint.rateLimitPerSecond,
    freshUntilMonotonic,
    // One that has expired but was not seen so yet goes along: the sender sees it and has it latched.
    secrets: secrets.flatMap((secret) => senderSecretOf(endpoint, secret, secretBox)),
  }
}

function senderSecretOf(endpoint: Endpoint, secret: Secret, secretBox: SecretBox): SenderSecret[] {
  if (secret.sealedValue === null) return []
  const value = secretBox.open(secret.sealedValue, secretContext(endpoint.id, secret.id))
  const { id, algorithm, createdAt, activatesAt, expiresAt, revokedAt, expirySeenAt } = secret
  const read = readSecretText(formatOf(endpoint.format), algorithm, value)
  if ('problem' in read) throw new Error(`Secret ${id} does not fit ${endpoint.format}.`)
  return [{ id, createdAt, activatesAt, expiresAt, revokedAt, expirySeenAt, ...read.key }]
}
