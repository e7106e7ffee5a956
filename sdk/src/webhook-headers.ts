import type { HeaderReader } from './webhook-format.ts'

/** Headers in any shape that a server hands out: `Headers`, Node's object, or pairs. */
export type WebhookHeaders =
  | Iterable<readonly [string, string]>
  | Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * Reads headers of any shape, whatever the case of their names. Never throws over what it finds:
 * anything that is not text is as good as absent.
 */
export function createHeaderReader(headers: WebhookHeaders): HeaderReader {
  const values = new Map<string, string>()
  for (const [name, value] of listHeaders(headers)) {
    const key = name.toLowerCase()
    const earlier = values.get(key)
    // As `Headers` joins them; a header that must be single is then refused as it should be.
    values.set(key, earlier === undefined ? value : `${earlier}, ${value}`)
  }
  return (name) => values.get(name) ?? null
}

function* listHeaders(headers: unknown): Generator<[string, string]> {
  if (typeof headers !== 'object' || headers === null) return
  const entries: Iterable<unknown> = isIterable(headers) ? headers : Object.entries(headers)
  for (const entry of entries) {
    if (!Array.isArray(entry) || typeof entry[0] !== 'string') continue
    for (const value of Array.isArray(entry[1]) ? entry[1] : [entry[1]]) {
      if (typeof value === 'string') yield [entry[0], value]
    }
  }
}

function isIterable(value: object): value is Iterable<unknown> {
  return Symbol.iterator in value && typeof value[Symbol.iterator] === 'function'
}
