import { ResponseTooLarge } from './http-connection.ts'
import type { SendError } from './http-sender.ts'
import { InvalidRequest } from './request-head.ts'
import { InvalidResponse } from './response-head.ts'
import { ResponseHeadTooLarge } from './response-parser.ts'

/** Why a request has no whole response, in the words of the closed list. Null: it was closed. */
export function classifyFailure(error: NodeJS.ErrnoException | null): {
  error: SendError
  detail: string
} {
  if (error instanceof ResponseTooLarge || error instanceof ResponseHeadTooLarge) {
    return { error: 'response_too_large', detail: error.message }
  }
  if (error instanceof InvalidRequest) {
    return { error: 'connect', detail: `Nothing was sent: ${error.message}.` }
  }
  if (error instanceof InvalidResponse) {
    return { error: 'reset', detail: `The response is not valid HTTP/1.1: ${error.message}.` }
  }
  if (error?.code?.startsWith('ERR_SSL_')) {
    return { error: 'tls', detail: `TLS failed (${error.code}).` }
  }
  const closed = 'The connection was closed before the response ended'
  const detail = error === null ? `${closed}.` : `${closed} (${error.code ?? 'unknown'}).`
  return { error: 'reset', detail }
}

/** Bounded and on one line, whatever an error message holds. */
export function toDetail(text: string, lengthMax: number): string {
  const line = text.replace(/\p{Cc}+/gu, ' ')
  return line.length > lengthMax ? `${line.slice(0, lengthMax - 1)}…` : line
}
