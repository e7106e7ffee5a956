import type { FastifyReply } from 'fastify'

/** What goes out: complete before anything is sent, so that it can be kept and sent again. */
export interface Answer {
  status: number
  /** The body; absent: none. */
  text?: string
  /** JSON where absent. */
  contentType?: string
  headers?: Readonly<Record<string, string>>
}

export const jsonContentType = 'application/json; charset=utf-8'

export function jsonAnswer(status: number, body: unknown): Answer {
  return { status, text: JSON.stringify(body) }
}

export const emptyAnswer: Answer = { status: 204 }

/** Answers may hold secrets, and none is the same twice: nothing in between may keep one. */
export function sendAnswer(reply: FastifyReply, answer: Answer): FastifyReply {
  reply.code(answer.status).header('cache-control', 'no-store')
  if (answer.headers !== undefined) reply.headers(answer.headers)
  if (answer.text === undefined) return reply.send()
  return reply.header('content-type', answer.contentType ?? jsonContentType).send(answer.text)
}
