import type { SendError } from './http-sender.ts'

/**
 * What undici or the socket reports, in the words of the closed list. `isLost`: the connection
 * ended, rather than something wrong came over it.
 */
export function classifyFailure(error: NodeJS.ErrnoException): {
  error: SendError
  detail: string
  isLost: boolean
} {
  const code = error.code ?? 'unknown'
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    const detail = 'The headers of the response are too large.'
    return { error: 'response_too_large', detail, isLost: false }
  }
  if (notSentCodes.has(code)) {
    // undici's message names the header, never its value.
    return { error: 'connect', detail: `Nothing was sent: ${error.message}.`, isLost: false }
  }
  if (code.startsWith('ERR_SSL_')) {
    return { error: 'tls', detail: `TLS failed (${code}).`, isLost: false }
  }
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
    const detail = 'The response is not as long as its Content-Length says.'
    return { error: 'reset', detail, isLost: false }
  }
  if (code.startsWith('HPE_')) {
    const detail = `The response is not valid HTTP/1.1 (${code}).`
    return { error: 'reset', detail, isLost: false }
  }
  const detail = `The connection was closed before the response ended (${code}).`
  return { error: 'reset', detail, isLost: true }
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
