import { Buffer } from 'node:buffer'

/** A POST of JSON in its plainest form. */
export interface PlainPost {
  /** The same object as long as a connection sends the same. */
  head: PlainHead
  body: Buffer
}

export interface PlainHead {
  /** As it was sent; it has no query. */
  readonly path: string
  readonly authorization: string
}

/**
 * Reads what one connection brings, piece by piece. A piece is a plain POST if it is exactly that:
 * one whole request, its body of the length that it states, with no header but those that are known
 * to change nothing here. Null for anything else: an HTTP server has to look at it.
 */
export function createPlainPostReader(): (bytes: Buffer) => PlainPost | null {
  // Clients send the same head again and again, so that comparing is mostly all there is to do.
  let lastBytes = Buffer.alloc(0)
  let last: SizedHead | null = null

  return (bytes) => {
    const isSame = last !== null && beginsWith(bytes, lastBytes)
    if (!isSame) {
      const length = bytes.indexOf(ending) + ending.length
      if (length < ending.length || length > headBytesMax) return null
      // A copy with memory of its own: neither the piece nor a pool of many is to live on with it.
      lastBytes = Buffer.allocUnsafeSlow(length)
      bytes.copy(lastBytes)
      last = readHead(lastBytes.toString('latin1'))
    }
    if (last === null || lastBytes.length + last.contentLength !== bytes.length) return null
    return { head: last, body: bytes.subarray(lastBytes.length) }
  }
}

function beginsWith(bytes: Buffer, start: Buffer): boolean {
  const { length } = start
  return bytes.length >= length && bytes.compare(start, 0, length, 0, length) === 0
}

interface SizedHead extends PlainHead {
  readonly contentLength: number
}

function readHead(head: string): SizedHead | null {
  const match = plainHead.exec(head)
  const path = match?.[1]
  const lines = match?.[2]
  if (path === undefined || lines === undefined) return null
  const values = new Map<string, string>()
  for (const line of lines.split('\r\n').slice(0, -1)) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    // What stands twice has no meaning that everyone agrees on.
    if (!plainHeaders.has(name) || values.has(name)) return null
    values.set(name, line.slice(colon + 1).trim())
  }
  const { host, authorization, contentLength, contentType, connection } = named(values)
  if (host === undefined || authorization === undefined) return null
  if (!wholeNumber.test(contentLength ?? '') || !json.test(contentType ?? '')) return null
  if (connection !== undefined && connection.toLowerCase() !== 'keep-alive') return null
  return { path, authorization, contentLength: Number(contentLength) }
}

function named(values: ReadonlyMap<string, string>) {
  return {
    host: values.get('host'),
    authorization: values.get('authorization'),
    contentLength: values.get('content-length'),
    contentType: values.get('content-type'),
    connection: values.get('connection'),
  }
}

const ending = '\r\n\r\n'

/** What is kept of each connection; ample for a request that says nothing unusual. */
const headBytesMax = 2 * 1024

/** Visible ASCII, and no line that begins with a space: that once continued the line before it. */
const plainHead = /^POST (\/[A-Za-z0-9_/-]*) HTTP\/1\.1\r\n((?:[A-Za-z-]+:[ -~]*\r\n)+)\r\n$/
const wholeNumber = /^(?:0|[1-9]\d{0,8})$/
const json = /^application\/json(?:; ?charset=utf-8)?$/i

/** Those that are read here, and those that say nothing that an answer depends on. */
const plainHeaders: ReadonlySet<string> = new Set([
  ...['host', 'authorization', 'content-length', 'content-type', 'connection'],
  ...['accept', 'accept-encoding', 'accept-language', 'cache-control', 'pragma', 'user-agent'],
  ...['sec-fetch-mode', 'baggage', 'traceparent', 'tracestate'],
])
