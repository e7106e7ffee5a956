import { KeySetError } from './key-set-address.ts'
import { type PublicKey, readKeySet } from './public-keys.ts'

export interface KeySets {
  /**
   * The keys under an address: remembered ones while they may be kept, else those that are there.
   * @throws KeySetError where they cannot be read and none are remembered that may still be used.
   */
  read(url: string): Promise<readonly PublicKey[]>
  /**
   * What is there now, for a signature that no remembered key fits; null where the address was
   * asked a moment ago, or does not answer.
   */
  readAnew(url: string): Promise<readonly PublicKey[] | null>
}

/** Between two requests to one address, whatever deliveries come in. */
const pauseMs = 10_000
/** How long keys are kept where the answer does not say, and the bounds of what it may say. */
const keptMs = { usual: 300_000, least: 10_000, most: 3_600_000 }
/** How long keys are used beyond that while the address does not answer. */
const staleMs = 3_600_000
const timeoutMs = 5_000
const answerBytesMax = 64 * 1024

interface Entry {
  keys: PublicKey[] | null
  keptUntil: number
  triedAt: number
  error: KeySetError | null
  pending: Promise<void> | null
}

/** Remembers the keys of at most `setsMax` addresses; of more, the one added first is forgotten. */
export function createKeySets(options: {
  setsMax: number
  fetch: (
    url: string,
    init: { headers: Record<string, string>; redirect: 'manual'; signal: AbortSignal },
  ) => Promise<Response>
  /** Milliseconds that only grow. */
  now: () => number
}): KeySets {
  const { now } = options
  const entries = new Map<string, Entry>()

  const entryOf = (url: string): Entry => {
    const known = entries.get(url)
    if (known !== undefined) return known
    const [oldest] = entries.keys()
    if (entries.size >= options.setsMax && oldest !== undefined) entries.delete(oldest)
    const entry = {
      ...{ keys: null, keptUntil: Number.NEGATIVE_INFINITY, triedAt: Number.NEGATIVE_INFINITY },
      ...{ error: null, pending: null },
    }
    entries.set(url, entry)
    return entry
  }

  const ask = async (url: string, entry: Entry): Promise<void> => {
    try {
      const signal = AbortSignal.timeout(timeoutMs)
      const headers = { accept: 'application/json' }
      const response = await options.fetch(url, { headers, redirect: 'manual', signal })
      // Gone is an answer, not a failure: whoever took the keys away wants them trusted no more.
      if (response.status === 404 || response.status === 410) entry.keys = null
      const keys = await readAnswer(url, response)
      entry.keys = keys
      entry.keptUntil = now() + keptMsOf(response.headers.get('cache-control') ?? '')
      entry.error = null
    } catch (cause) {
      const reason = 'The key set cannot be reached'
      entry.error = cause instanceof KeySetError ? cause : new KeySetError(url, reason, { cause })
    } finally {
      entry.triedAt = now()
      entry.pending = null
    }
  }

  const askOnce = (url: string, entry: Entry): Promise<void> => {
    if (entry.pending !== null) return entry.pending
    const asked = ask(url, entry)
    if (!isSharingForbidden()) entry.pending = asked
    return asked
  }

  return {
    async read(url) {
      const entry = entryOf(url)
      if (entry.keys !== null && now() < entry.keptUntil) return entry.keys
      if (now() - entry.triedAt >= pauseMs) await askOnce(url, entry)
      if (entry.keys !== null && now() < entry.keptUntil + staleMs) return entry.keys
      throw entry.error ?? new KeySetError(url, 'The key set cannot be reached')
    },

    async readAnew(url) {
      const entry = entryOf(url)
      if (entry.pending === null && now() - entry.triedAt < pauseMs) return null
      await askOnce(url, entry)
      return entry.error === null ? entry.keys : null
    },
  }
}

async function readAnswer(url: string, response: Response): Promise<PublicKey[]> {
  // A redirect could lead anywhere, also away from https.
  if (response.status !== 200) {
    throw new KeySetError(url, `The key set was answered with ${response.status || 'a redirect'}`)
  }
  const text = await readText(response)
  const keys = text === null ? null : readKeySet(parse(text))
  if (keys === null) throw new KeySetError(url, 'What is there is not a JWK set')
  return keys
}

/** Null where it is longer than a key set can be. */
async function readText(response: Response): Promise<string | null> {
  const reader = response.body?.getReader()
  if (reader === undefined) return ''
  const decoder = new TextDecoder()
  let text = ''
  for (let size = 0; ; ) {
    const { value, done } = await reader.read()
    if (done) return text + decoder.decode()
    size += value.byteLength
    if (size > answerBytesMax) {
      await reader.cancel()
      return null
    }
    text += decoder.decode(value, { stream: true })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function keptMsOf(cacheControl: string): number {
  if (/\bno-(store|cache)\b/i.test(cacheControl)) return keptMs.least
  const seconds = /\bmax-age=(\d{1,9})\b/i.exec(cacheControl)?.[1]
  if (seconds === undefined) return keptMs.usual
  return Math.min(keptMs.most, Math.max(keptMs.least, Number(seconds) * 1_000))
}

/** There, what one request waits for must not be awaited by another: it would wait for ever. */
function isSharingForbidden(): boolean {
  return globalThis.navigator?.userAgent === 'Cloudflare-Workers'
}
