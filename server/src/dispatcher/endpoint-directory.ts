import type { Endpoint } from '../core/endpoint.ts'
import { limits } from '../core/limits.ts'
import type { Secret } from '../core/secret.ts'
import { headersContext, type SecretBox, secretContext } from '../core/secret-box.ts'
import { formatOf } from '../formats/registry.ts'
import { readSecretText } from '../formats/secret-text.ts'
import { type Storage, StorageUnavailableError } from '../storage/storage.ts'
import type { SenderEndpoint, SenderSecret, ToSender } from './sender-messages.ts'

/** What the main thread keeps of an endpoint that the sender knows. */
export interface KnownEndpoint {
  retryScheduleMs: readonly number[]
}

/**
 * Keeps the sender thread's knowledge of endpoints and their secrets fresh: it is told before
 * deliveries that need it, and after each commit that changed something it knows.
 */
export interface EndpointDirectory {
  get(endpointId: string): KnownEndpoint | undefined
  /** Resolves when the sender has been told of all of these; rejects where they cannot be read. */
  ensure(endpointIds: Iterable<string>): Promise<void>
  /**
   * Resolves when the sender has said that it works by the new state of those it knows. The change
   * is committed, so a store that cannot be read is asked again until it can.
   */
  refresh(endpointIds: Iterable<string>): Promise<void>
  acknowledged(acknowledge: number): void
}

const tryAgainMs = 250

export function createEndpointDirectory(options: {
  storage: Pick<Storage, 'getEndpointById' | 'listSecrets' | 'getProject'>
  secretBox: SecretBox
  defaultRetryScheduleMs: readonly number[]
  post: (message: ToSender) => void
  /** True while the sender may still hold deliveries of the endpoint. */
  isBusy: (endpointId: string) => boolean
  isStopping: () => boolean
  onError: (message: string, error: unknown) => void
}): EndpointDirectory {
  const known = new Map<string, KnownEndpoint>()
  const waiting = new Map<number, () => void>()
  let lastAcknowledge = 0
  /** One load after the other, so that news of an endpoint never overtake newer news of it. */
  let tail: Promise<unknown> = Promise.resolve()

  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const result = tail.then(work)
    tail = result.catch(() => undefined)
    return result
  }

  const tell = async (endpointIds: readonly string[]): Promise<{ applied: Promise<void> }> => {
    const endpoints: SenderEndpoint[] = []
    const read = new Map<string, KnownEndpoint>()
    for (const id of endpointIds) {
      const endpoint = await options.storage.getEndpointById(id)
      if (endpoint === null) continue
      const project = await options.storage.getProject(endpoint.projectId)
      const secrets = await options.storage.listSecrets(id)
      endpoints.push(senderEndpointOf(endpoint, secrets, options.secretBox))
      read.set(id, {
        retryScheduleMs: project?.settings.retryScheduleMs ?? options.defaultRetryScheduleMs,
      })
    }
    // Not before all of them are read: what counts as known, the sender must have been told.
    for (const [id, endpoint] of read) known.set(id, endpoint)
    const acknowledge = ++lastAcknowledge
    // Wrapped, so that awaiting the telling does not await the sender as well.
    const applied = new Promise<void>((resolve) => waiting.set(acknowledge, resolve))
    options.post({ kind: 'endpoints', endpoints, acknowledge })
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
    ensure(endpointIds) {
      return inOrder(async () => {
        const unknown = [...new Set(endpointIds)].filter((id) => !known.has(id))
        // What follows is posted after this message, and messages keep their order.
        if (unknown.length > 0) await tell(unknown)
      })
    },
    async refresh(endpointIds) {
      const told = await inOrder(async () => {
        const affected = [...endpointIds].filter((id) => known.has(id))
        return affected.length === 0 ? null : tellAtLast(affected)
      })
      await told?.applied
    },
    acknowledged(acknowledge) {
      waiting.get(acknowledge)?.()
      waiting.delete(acknowledge)
    },
  }
}

function senderEndpointOf(
  endpoint: Endpoint,
  secrets: readonly Secret[],
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
    condition: isDeleted ? 'deleted' : endpoint.state,
    headers,
    rateLimitPerSecond: endpoint.rateLimitPerSecond,
    // One that has expired but was not seen so yet goes along: the sender sees it and has it latched.
    secrets: secrets
      .filter(({ revokedAt, expirySeenAt }) => revokedAt === null && expirySeenAt === null)
      .flatMap((secret) => senderSecretOf(endpoint, secret, secretBox)),
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
