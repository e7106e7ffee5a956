import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../core/errors.ts'
import type { RotationOrder } from '../core/rotation-order.ts'
import type { KnownPaths } from './known-paths.ts'
import { type BodyType, pathOf } from './serve-route.ts'
import type { Turns } from './turns.ts'

/** What is looked at before a request comes to its route, and how its body is taken: as bytes. */
export function addRequestChecks(
  app: FastifyInstance,
  turns: Turns,
  { moment }: RotationOrder,
  refusePath: ReturnType<typeof noSuchPath>,
): void {
  app.setNotFoundHandler(refusePath)
  app.decorateRequest('caller', null)
  app.decorateRequest('bodyType', 'other')
  app.decorateRequest('arrival', 0)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, bytes, done) => done(null, bytes))
  app.addHook('onRequest', (request, _reply, done) => {
    request.arrival = moment()
    turns.enter(done)
  })
  app.addHook('onRequest', (request, reply, done) => {
    setCommonHeaders(request, reply)
    const unmet = unmetRefusal(request)
    if (unmet !== null) {
      reply.header('connection', 'close')
      return done(unmet)
    }
    // Here and not in the handler, before which the body would be read.
    if (request.is404) refusePath(request, reply)
    // Whether there is a body at all comes before its type: an absent one may claim any.
    request.bodyType = bodyTypeOf(request.headers['content-type'])
    request.headers['content-type'] = undefined
    done()
  })
}

/** 405 where the path takes other methods, else 404. */
export function noSuchPath({ methodsOf }: KnownPaths) {
  return (request: FastifyRequest, reply: FastifyReply): never => {
    const allowed = methodsOf(pathOf(request))
    if (allowed.length === 0) {
      throw new AppError('not_found', { detail: 'There is no such path.' })
    }
    reply.header('allow', allowed.join(', '))
    throw new AppError('method_not_allowed', { detail: `This path takes ${allowed.join(', ')}.` })
  }
}

/** What every answer carries. */
export function setCommonHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.headers(commonHeaders(request.id))
}

export function commonHeaders(requestId: string) {
  return { 'x-request-id': requestId, 'x-content-type-options': 'nosniff' }
}

function bodyTypeOf(contentType = ''): BodyType {
  if (contentType === 'application/json' || jsonType.test(contentType)) return 'json'
  return formType.test(contentType) ? 'form' : 'other'
}

const formType = /^application\/x-www-form-urlencoded *(?:;|$)/i
const jsonType = /^application\/json *(?:; *charset="?utf-8"? *)?$/i

/** What HTTP itself asks of a request before anything else is looked at; null where it is met. */
function unmetRefusal({ headers, raw }: FastifyRequest): AppError | null {
  const { host, expect } = headers
  if (host === undefined && raw.httpVersion === '1.1') {
    return new AppError('invalid_request', { detail: 'The Host header is missing.' })
  }
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    return new AppError('expectation_failed', { detail: 'Only 100-continue can be expected.' })
  }
  return null
}
