import type { TransportLimits } from './transport-limits.ts'

/** Status line and headers of a response, and what they say about its body and its connection. */
export interface ResponseHead {
  readonly statusCode: number
  /** Names in lower case; several values of one name are joined by `, `. Not to be changed. */
  readonly headers: Readonly<Record<string, string>>
  readonly framing: BodyFraming
  /** Whether another request may follow on the connection, as far as the head says. */
  readonly isPersistent: boolean
  /** Of `Keep-Alive: timeout=`; null where nothing is said. */
  readonly keepAliveMs: number | null
}

/** How the end of a body is found (RFC 9112, 6.3). */
export type BodyFraming =
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until_close' }

/** The receiver sent what is no HTTP/1.1, or what can be read in two ways. */
export class InvalidResponse extends Error {}

/**
 * Reads a head from its status line to the line end of its last header, as latin1. Strict, for a
 * response that two readers may end in different places is one that nobody can rely on: no folded
 * lines, no bare line feeds, one `Content-Length`, and never beside a `Transfer-Encoding`.
 *
 * @throws InvalidResponse
 */
export function parseResponseHead(
  text: string,
  { responseHeadersKeptMax }: Pick<TransportLimits, 'responseHeadersKeptMax'>,
): ResponseHead {
  const lines = text.split('\r\n')
  const status = statusLine.exec(lines[0] ?? '')
  if (status === null) throw new InvalidResponse('no status line')
  const statusCode = Number(status[2])
  const headers: Record<string, string> = {}
  const framingOf = { length: null as string | null, codings: null as string | null }
  const said = { connection: '', keepAlive: '' }
  let kept = 0
  for (let at = 1; at < lines.length; at++) {
    const line = lines[at]!
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase()
    if (!token.test(name)) throw new InvalidResponse('a header without a name')
    const value = trimmed(line, colon + 1)
    if (forbidden.test(value)) throw new InvalidResponse('a control character in a header')
    switch (name) {
      case 'content-length':
        if (framingOf.length !== null) throw new InvalidResponse('Content-Length comes twice')
        framingOf.length = value
        break
      case 'transfer-encoding':
        framingOf.codings = framingOf.codings === null ? value : `${framingOf.codings},${value}`
        break
      case 'connection':
        said.connection += `,${value}`
        break
      case 'keep-alive':
        said.keepAlive = value
        break
    }
    const before = Object.hasOwn(headers, name) ? headers[name] : undefined
    if (before !== undefined) headers[name] = `${before}, ${value}`
    else if (kept++ < responseHeadersKeptMax) headers[name] = value
  }
  const framing = toFraming(statusCode, framingOf)
  const isHttp11 = status[1] === '1'
  return {
    statusCode,
    headers,
    framing,
    isPersistent:
      framing.kind !== 'until_close' &&
      !isDoubtful(statusCode, framingOf) &&
      !closeToken.test(said.connection) &&
      (isHttp11 || keepAliveToken.test(said.connection)),
    keepAliveMs: keepAliveOf(said.keepAlive),
  }
}

const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/
const token = /^[!#$%&'*+\-.^_`|~\da-z]+$/
const forbidden = /[^\t\x20-\x7e\x80-\xff]/
const digits = /^0*\d{1,15}$/
const closeToken = /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i
const keepAliveToken = /(?:^|,)[\t ]*keep-alive[\t ]*(?:,|$)/i
const chunkedLast = /(?:^|,)[\t ]*chunked[\t ]*$/i
const chunkedEarlier = /(?:^|,)[\t ]*chunked[\t ]*,/i
/** Said by whoever hands on the headers of another server beside its own. */
const onlyChunked = /^[\t ]*chunked(?:[\t ]*,[\t ]*chunked)+[\t ]*$/i

function toFraming(
  statusCode: number,
  { length, codings }: { length: string | null; codings: string | null },
): BodyFraming {
  if (length !== null && codings !== null) {
    throw new InvalidResponse('both Content-Length and Transfer-Encoding')
  }
  if (length !== null && !digits.test(length)) {
    throw new InvalidResponse('Content-Length is no number')
  }
  if (codings !== null && chunkedEarlier.test(codings) && !onlyChunked.test(codings)) {
    throw new InvalidResponse('chunked is not the last Transfer-Encoding')
  }
  if (hasNoBody(statusCode)) return noBody
  if (codings !== null) return chunkedLast.test(codings) ? chunked : untilClose
  return length === null ? untilClose : { kind: 'length', length: Number(length) }
}

/**
 * Whether the receiver may see the end of the response elsewhere: it announces a body where there is
 * none, and may well send it later, or is unsure of its coding.
 */
function isDoubtful(
  statusCode: number,
  { length, codings }: { length: string | null; codings: string | null },
): boolean {
  if (hasNoBody(statusCode)) return codings !== null || (length !== null && Number(length) !== 0)
  return codings !== null && onlyChunked.test(codings)
}

function hasNoBody(statusCode: number): boolean {
  return statusCode < 200 || statusCode === 204 || statusCode === 304
}

const noBody: BodyFraming = { kind: 'length', length: 0 }
const chunked: BodyFraming = { kind: 'chunked' }
const untilClose: BodyFraming = { kind: 'until_close' }

function keepAliveOf(value: string): number | null {
  const seconds = /(?:^|[,; \t])timeout=(\d{1,9})/i.exec(value)?.[1]
  return seconds === undefined ? null : Number(seconds) * 1_000
}

/** Without optional white space on both sides. */
function trimmed(line: string, from: number): string {
  let start = from
  let end = line.length
  while (start < end && isBlank(line.charCodeAt(start))) start++
  while (end > start && isBlank(line.charCodeAt(end - 1))) end--
  return line.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09
}
