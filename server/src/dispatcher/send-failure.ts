import type { SendError } from './http-sender.ts'

/** What undici or the socket reports, in the words of the closed list. */
export function classifyFailure(error: NodeJS.ErrnoException): {
  error: SendError
  detail: string
} {
  const code = error.code ?? 'unknown'
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return { error: 'response_too_large', detail: 'The headers of the response are too large.' }
  }
  if (notSentCodes.has(code)) {
    // undici's message names the header, never its value.
    return { error: 'connect', detail: `Nothing was sent: ${error.message}.` }
  }
  if (code.startsWith('ERR_SSL_')) return { error: 'tls', detail: `TLS failed (${code}).` }
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
    return { error: 'reset', detail: 'The response is not as long as its Content-Length says.' }
  }
  if (code.startsWith('HPE_')) {
    return { error: 'reset', detail: `The response is not valid HTTP/1.1 (${code}).` }
  }
  return {
    error: 'reset',
    detail: `The connection was closed before the response ended (${code}).`,
  }
}

/** The request was refused before a byte was written: a header that HTTP does not allow. */
const notSentCodes: ReadonlySet<string> = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
])

/** Bounded and on one line, whatever an error message holds. */
export function toDetail(text: string, lengthMax: number): string {
  const line = text.replace(/\p{Cc}+/gu, ' ')
  return line.length > lengthMax ? `${line.slice(0, lengthMax - 1)}…` : line
}
