import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { AppError } from '../core/errors.ts'
import { STATUS_CODES } from './node-http.ts'
import { problemAnswer } from './problem.ts'

/**
 * Answers bytes that never became a request, and closes the connection. There is no reply to send
 * with, so the answer is written out by hand. It quotes nothing of what came.
 */
export function refuseUnreadable(
  error: NodeJS.ErrnoException,
  socket: Socket,
  options: {
    requestId: string
    publicUrl: string | null
    /** How long a client that goes on sending, or does not close its side, is put up with. */
    lingerMs: number
  },
): void {
  // Comes again with each piece that arrives after the answer: those are thrown away.
  if (socket.writableEnded) return
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { status, text = '', contentType } = problemAnswer(refusalOf(error), options)
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Cache-Control: no-store',
    `Content-Length: ${Buffer.byteLength(text)}`,
    `Content-Type: ${contentType}`,
    'X-Content-Type-Options: nosniff',
    `X-Request-Id: ${options.requestId}`,
  ]
  const timer = setTimeout(() => socket.destroy(), options.lingerMs)
  socket.once('close', () => clearTimeout(timer))
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`)
}

function refusalOf({ code }: NodeJS.ErrnoException): AppError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new AppError('headers_too_large', {
        detail: 'The request line and headers take more than the server reads.',
      })
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new AppError('request_timeout', {
        detail: 'The request was not complete when its time had run out.',
      })
    default:
      return new AppError('invalid_request', { detail: 'The bytes cannot be read as HTTP/1.1.' })
  }
}
