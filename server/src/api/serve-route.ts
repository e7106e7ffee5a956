import { Buffer } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { ActionContext, ActionParts } from '../actions/action-context.ts'
import { foreignProject, type Principal, requireRoot, requireScope } from '../core/authorization.ts'
import { AppError, invalidFields } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { type Answer, sendAnswer } from './answer.ts'
import { type Authenticator, anonymousPrincipal, type DigestedCredential } from './authenticate.ts'
import type { BodyRoom } from './body-room.ts'
import type { Idempotency } from './idempotency.ts'
import type { ProjectDirectory } from './project-directory.ts'
import { type Quota, type RateLimiter, rateLimitExceeded } from './rate-limit.ts'
import type { Call, ServedRoute, ServerParts } from './route.ts'
import type { Surface } from './surface.ts'
import type { Check, SchemaCompiler } from './validation.ts'

/** Everything that serving a route takes. */
export interface RouteServing {
  surface: Surface
  parts: ActionParts
  server: ServerParts
  schemas: SchemaCompiler
  authenticator: Authenticator
  rateLimiter: RateLimiter
  projects: ProjectDirectory
  bodyRoom: BodyRoom
  idempotency: Idempotency
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls, and the project of the path; null before it is known, and on open routes. */
    caller: Caller | null
    /** How the body, if there is one, was sent. */
    bodyType: BodyType
    /** When it came in, as a moment of `rotationOrder`. */
    arrival: number
  }

  interface FastifyContextConfig {
    /** Whose routes these are; the native API's where absent. */
    surface?: Surface
    /** Stands in the way of other routes, and serves nothing. */
    isRefusal?: true
  }
}

/** What a body is sent as, as far as any route takes it. */
export type BodyType = 'json' | 'form' | 'other'

export interface Caller {
  principal: Principal
  /** Empty where neither the path nor the key names a project. */
  projectId: string
}

/**
 * The way of one request: who calls and whether they may → the body's bytes → the checked input →
 * the action → the answer.
 */
export function serveRoute(
  app: FastifyInstance,
  route: ServedRoute,
  paths: readonly string[],
  serving: RouteServing,
): void {
  const { parts } = serving
  const readBody = route.body?.prepare(serving.schemas, parts) ?? (() => undefined)
  const queryCheck = route.query === undefined ? null : serving.schemas.forQuery(route.query)

  const bodyLimit = route.body?.bytesMax(parts.settings) ?? limits.requestBodyBytesMax
  /** False where the client has gone: what the end of its connection gives back is not taken any more. */
  const begin = (request: FastifyRequest, reply: FastifyReply, caller: Caller | null): boolean => {
    if (reply.raw.destroyed) return false
    request.caller = caller
    const bytes = bodyBytesOf(request, bodyLimit)
    if (bytes > 0) {
      reply.raw.once('close', serving.bodyRoom.take(caller?.projectId ?? '', bytes))
    }
    return true
  }

  const options: Omit<RouteOptions, 'url'> = {
    method: route.method,
    bodyLimit,
    config: { surface: serving.surface },
    onRequest(request, reply, done) {
      const caller =
        route.access === 'open' ? null : authorize(route, serving, askedOf(request, reply))
      // Both are known already on all but the first request of a key: no promise, no tick.
      if (!(caller instanceof Promise)) {
        if (begin(request, reply, caller)) done()
        return
      }
      caller
        .then((known) => begin(request, reply, known))
        .then((isThere) => {
          if (isThere) done()
        }, done)
    },
    async handler(request, reply) {
      const bytes = bytesOf(request, route.body?.mediaType ?? 'json')
      const call: Call = {
        params: paramsOf(request),
        projectId: request.caller?.projectId ?? '',
        headers: request.headers,
        query: queryOf(request, route, queryCheck),
        body: readBody(bytes),
        context: contextOf(request, parts),
        server: serving.server,
      }
      return sendAnswer(reply, await answer(route, call, request, bytes, serving))
    },
  }
  for (const url of paths) app.route({ ...options, url })
}

/** How long the body may become; 0 where there is none, or one that is refused for its length. */
function bodyBytesOf({ method, headers }: FastifyRequest, bodyLimit: number): number {
  if (method === 'GET' || method === 'HEAD') return 0
  if (headers['transfer-encoding'] !== undefined) return bodyLimit
  const length = Number(headers['content-length'] ?? 0)
  return length > bodyLimit ? 0 : length
}

/** What of a request tells who calls what. */
export interface Asked {
  headers: IncomingHttpHeaders
  /** What `headers` say of it, where that is known already. */
  credential?: DigestedCredential
  params: Readonly<Record<string, string>>
  address: string
  /** Takes headers of the answer, whatever it will be. */
  addHeaders(headers: Readonly<Record<string, string>>): void
}

/**
 * The caller, if they may call this route at all; throws or rejects otherwise. At once where caller
 * and project are known already.
 */
export function authorize(
  route: ServedRoute,
  serving: RouteServing,
  asked: Asked,
): Caller | Promise<Caller> {
  const credential = asked.credential ?? serving.surface.credentialOf(asked.headers)
  const principal = serving.authenticator.authenticate(credential, asked.address)
  const goOn = (known: Principal) => {
    const counted = countRequest(serving, known, asked)
    const admitted = () => admit(route, serving, asked, known)
    return counted instanceof Promise ? counted.then(admitted) : admitted()
  }
  return principal instanceof Promise ? principal.then(goOn) : goOn(principal)
}

/** All are limited but the root key, which is the operator's own. */
function countRequest(
  { rateLimiter, surface }: RouteServing,
  { actor }: Principal,
  { addHeaders }: Asked,
): void | Promise<void> {
  if (actor.id === null) return
  const tell = (quota: Quota) => {
    addHeaders(surface.rateLimitHeaders(quota))
    if (!quota.isAllowed) throw rateLimitExceeded(quota)
  }
  const quota = rateLimiter.take(actor.id)
  return quota instanceof Promise ? quota.then(tell) : tell(quota)
}

function admit(
  route: ServedRoute,
  { surface, projects }: RouteServing,
  { params }: Asked,
  principal: Principal,
): Caller | Promise<Caller> {
  const ref = surface.projectRefOf(params, principal)
  const isKnown = ref === null || ref === '' || ref === principal.projectId
  const project = isKnown ? ref : projects.idOf(ref)
  const judge = (projectId: string | null) => judged(route, principal, projectId)
  return project instanceof Promise ? project.then(judge) : judge(project)
}

function askedOf(request: FastifyRequest, reply: FastifyReply): Asked {
  return {
    headers: request.headers,
    params: request.params as Record<string, string>,
    address: addressOf(request),
    addHeaders: (headers) => reply.headers(headers),
  }
}

/** The caller's address: what a trusted proxy says, where that is one; else the connection's. */
function addressOf({ ip, socket }: FastifyRequest): string {
  return isIP(ip) === 0 ? (socket.remoteAddress ?? '') : ip
}

/** `projectId`: empty where the path names none, null where it names one that does not exist. */
function judged(route: ServedRoute, principal: Principal, projectId: string | null): Caller {
  const { access } = route
  // The same refusal whether the other project exists or not.
  if (!principal.isRoot && projectId !== '' && projectId !== principal.projectId) {
    throw foreignProject()
  }
  if (access === 'root') requireRoot(principal)
  if (projectId === null) throw new AppError('not_found', { detail: 'There is no such project.' })
  if (access !== 'root' && access !== 'member' && access !== 'open') {
    requireScope(principal, projectId, access)
  }
  return { principal, projectId }
}

const noBytes = Buffer.alloc(0)

const mediaTypes = { json: 'application/json', form: 'application/x-www-form-urlencoded' }

/** The raw body; empty where there is none, whatever type or encoding it claims. */
function bytesOf(request: FastifyRequest, bodyType: 'json' | 'form'): Buffer {
  const bytes = request.body as Buffer | undefined
  if (bytes === undefined || bytes.length === 0) return noBytes
  if (request.bodyType !== bodyType) {
    throw new AppError('unsupported_media_type', {
      detail: `The body must be sent with Content-Type: ${mediaTypes[bodyType]}.`,
    })
  }
  const encoding = request.headers['content-encoding']
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new AppError('unsupported_media_type', {
      detail: 'The body must be sent as it is, without a Content-Encoding.',
    })
  }
  return bytes
}

function paramsOf({ params, caller }: FastifyRequest): Record<string, string> {
  const own = params as Record<string, string>
  if (own.project !== undefined && caller !== null) own.project = caller.projectId
  return own
}

/**
 * What the route declares, checked. A dialect ignores whatever else is asked, so that must not come
 * through unchecked to code that serves several routes.
 */
function queryOf(
  { query: asked }: FastifyRequest,
  { query: schema }: Pick<ServedRoute, 'query'>,
  check: Check | null,
): unknown {
  const problems = check?.(asked) ?? []
  if (problems.length > 0) throw invalidFields(problems, 'query')
  if (schema === undefined) return {}
  const declared = Object.entries(asked as object).filter(([name]) =>
    Object.hasOwn(schema.properties, name),
  )
  return Object.fromEntries(declared)
}

function contextOf(request: FastifyRequest, parts: ActionParts): ActionContext {
  return newContext(parts, {
    principal: request.caller?.principal ?? anonymousPrincipal,
    requestId: request.id,
    sourceAddress: addressOf(request),
    arrival: request.arrival,
  })
}

/** What an action is given for a request whose answer need not be kept. */
export function newContext(
  parts: ActionParts,
  request: Pick<ActionContext, 'principal' | 'requestId' | 'sourceAddress' | 'arrival'>,
): ActionContext {
  return {
    ...parts,
    ...request,
    transact: (work) => parts.storage.transact(work),
    keepsAnswer: false,
  }
}

async function answer(
  route: ServedRoute,
  call: Call,
  request: FastifyRequest,
  bytes: Buffer,
  { idempotency, surface }: RouteServing,
): Promise<Answer> {
  if (route.method !== 'POST') return route.answer(call as never)
  // Without a caller, the answer kept for one would be given to the next who guesses the key.
  const key = route.access === 'open' ? null : idempotencyKeyOf(request, surface)
  if (key === null) return route.present(await route.act(call as never), call as never)
  return idempotency.answerOnce({
    key,
    method: route.method,
    path: pathOf(request),
    bytes,
    holdsSecret: route.holdsSecret === true,
    context: call.context,
    act: (context) => route.act({ ...call, context } as never),
    present: (result) => route.present(result, call as never),
    presentError: surface.presentError,
  })
}

function idempotencyKeyOf({ headers }: FastifyRequest, surface: Surface): string | null {
  for (const name of surface.idempotencyHeaders) {
    const key = headers[name]
    if (typeof key === 'string') return key
  }
  return null
}

/** The path as it was sent, without the query. */
export function pathOf({ url }: Pick<FastifyRequest, 'url'>): string {
  const end = url.indexOf('?')
  return end < 0 ? url : url.slice(0, end)
}
