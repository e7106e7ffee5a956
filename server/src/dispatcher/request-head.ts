/** A header, or a target, that HTTP does not allow; names what, never a value. */
export class InvalidRequest extends Error {}

/**
 * Request line and headers of a POST, as latin1, up to the empty line. What frames the request and
 * tells where it goes is written here alone.
 *
 * @throws InvalidRequest
 */
export function requestHead({
  origin,
  target,
  headers,
  length,
}: {
  /** Scheme, host and port. */
  origin: string
  /** Path and query. */
  target: string
  headers: Readonly<Record<string, string>>
  /** Of the body, in bytes. */
  length: number
}): string {
  const host = origin.slice(origin.indexOf('//') + 2)
  let head = `POST ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`
  for (const name in headers) {
    const value = headers[name]!
    if (!isAllowedName(name)) throw new InvalidRequest('a header has a name that is not allowed')
    if (forbidden.test(value)) throw new InvalidRequest(`the header ${name} has an invalid value`)
    head += `${name}: ${value}\r\n`
  }
  return `${head}content-length: ${length}\r\n\r\n`
}

const forbidden = /[^\t\x20-\x7e\x80-\xff]/
const token = /^[!#$%&'*+\-.^_`|~\da-z]+$/i

/** What would speak of the connection or the body, which are not the caller's. */
const ours: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Endpoints have few names between them; the bound is for the day on which they have not. */
const allowedNames = new Set<string>()
const allowedNamesMax = 1_000

function isAllowedName(name: string): boolean {
  if (allowedNames.has(name)) return true
  if (!token.test(name) || ours.has(name.toLowerCase())) return false
  if (allowedNames.size < allowedNamesMax) allowedNames.add(name)
  return true
}
