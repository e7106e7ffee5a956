import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'

/**
 * What goes out: complete before anything is sent, so that it can be kept and sent again. Only a
 * stream is made while it goes out.
 */
export interface Answer {
  status: number
  /** The body; absent: none. */
  text?: string
  /** JSON where absent. */
  contentType?: string
  headers?: Readonly<Record<string, string>>
  /** In place of `text`: its pieces as the client takes them, until `closed` is aborted. */
  stream?: (closed: AbortSignal) => AsyncGenerator<string>
}

export const jsonContentType = 'application/json; charset=utf-8'

export function jsonAnswer(status: number, body: unknown): Answer {
  return { status, text: JSON.stringify(body) }
}

export const emptyAnswer: Answer = { status: 204 }

/** Answers may hold secrets, and none is the same twice: nothing in between may keep one. */
export const answerHeaders = { 'cache-control': 'no-store' }

export function sendAnswer(reply: FastifyReply, answer: Answer): FastifyReply {
  reply.code(answer.status).headers(answerHeaders)
  if (answer.headers !== undefined) reply.headers(answer.headers)
  if (answer.stream !== undefined) return sendStream(reply, answer.stream)
  if (answer.text === undefined) return reply.send()
  return reply.header('content-type', answer.contentType ?? jsonContentType).send(answer.text)
}

function sendStream(reply: FastifyReply, stream: NonNullable<Answer['stream']>): FastifyReply {
  const closed = new AbortController()
  reply.raw.once('close', () => closed.abort())
  // Proxies that gather an answer before they pass it on would hold it back for ever.
  reply.header('content-type', eventStreamType).header('x-accel-buffering', 'no')
  return reply.send(Readable.from(stream(closed.signal)))
}

export const eventStreamType = 'text/event-stream'
