import { Buffer } from 'node:buffer'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { ActionContext, ActionParts } from '../actions/action-context.ts'
import { foreignProject, type Principal, requireRoot, requireScope } from '../core/authorization.ts'
import { AppError, invalidFields } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { type Answer, sendAnswer } from './answer.ts'
import { type Authenticator, anonymousPrincipal } from './authenticate.ts'
import { type Idempotency, idempotencyHeader } from './idempotency.ts'
import type { ProjectDirectory } from './project-directory.ts'
import type { Call, Route, ServerParts } from './route.ts'
import type { Check, SchemaCompiler } from './validation.ts'

/** Everything that serving a route takes. */
export interface RouteServing {
  parts: ActionParts
  server: ServerParts
  schemas: SchemaCompiler
  authenticator: Authenticator
  projects: ProjectDirectory
  idempotency: Idempotency
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls, and the project of the path; null before it is known, and on open routes. */
    caller: Caller | null
    /** Whether the body, if there is one, was sent as JSON. */
    isJson: boolean
  }
}

interface Caller {
  principal: Principal
  /** Empty where the path names no project. */
  projectId: string
}

/**
 * The way of one request: who calls and whether they may → the body's bytes → the checked input →
 * the action → the answer.
 */
export function serveRoute(app: FastifyInstance, route: Route, serving: RouteServing): void {
  const { parts } = serving
  const readBody = route.body?.prepare(serving.schemas, parts) ?? (() => undefined)
  const queryCheck = route.query === undefined ? null : serving.schemas.forQuery(route.query)

  app.route({
    method: route.method,
    url: route.path,
    bodyLimit: route.body?.bytesMax(parts.settings) ?? limits.requestBodyBytesMax,
    onRequest(request, _reply, done) {
      if (route.access === 'open') return done()
      const caller = authorize(route, serving, request)
      // Both are known already on all but the first request of a key: no promise, no tick.
      if (!(caller instanceof Promise)) {
        request.caller = caller
        return done()
      }
      caller.then((known) => {
        request.caller = known
        done()
      }, done)
    },
    async handler(request, reply) {
      const bytes = bytesOf(request)
      const call: Call = {
        params: paramsOf(request),
        query: queryOf(request, queryCheck),
        body: readBody(bytes),
        context: contextOf(request, parts),
        server: serving.server,
      }
      return sendAnswer(reply, await answer(route, call, request, bytes, serving))
    },
  })
}

/** The caller, if they may call this route at all; throws or rejects otherwise. */
function authorize(
  route: Route,
  { authenticator, projects }: RouteServing,
  request: FastifyRequest,
): Caller | Promise<Caller> {
  const principal = authenticator.authenticate(request.headers.authorization)
  if (principal instanceof Promise) {
    return principal.then((known) => admit(route, projects, request, known))
  }
  return admit(route, projects, request, principal)
}

function admit(
  route: Route,
  projects: ProjectDirectory,
  request: FastifyRequest,
  principal: Principal,
): Caller | Promise<Caller> {
  const ref = (request.params as { project?: string }).project
  const project = ref === undefined || ref === principal.projectId ? ref : projects.idOf(ref)
  const judge = (projectId: string | null) => judged(route, principal, projectId)
  return project instanceof Promise ? project.then(judge) : judge(project ?? '')
}

/** `projectId`: empty where the path names none, null where it names one that does not exist. */
function judged(route: Route, principal: Principal, projectId: string | null): Caller {
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

/** The raw body; empty where there is none, whatever type or encoding it claims. */
function bytesOf(request: FastifyRequest): Buffer {
  const bytes = request.body as Buffer | undefined
  if (bytes === undefined || bytes.length === 0) return noBytes
  if (!request.isJson) {
    throw new AppError('unsupported_media_type', {
      detail: 'The body must be sent with Content-Type: application/json.',
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

function queryOf({ query }: FastifyRequest, check: Check | null): unknown {
  const problems = check?.(query) ?? []
  if (problems.length > 0) throw invalidFields(problems)
  return query
}

function contextOf(request: FastifyRequest, parts: ActionParts): ActionContext {
  return {
    ...parts,
    principal: request.caller?.principal ?? anonymousPrincipal,
    requestId: request.id,
    sourceAddress: request.ip,
    transact: (work) => parts.storage.transact(work),
    keepsAnswer: false,
  }
}

async function answer(
  route: Route,
  call: Call,
  request: FastifyRequest,
  bytes: Buffer,
  { idempotency }: RouteServing,
): Promise<Answer> {
  if (route.method !== 'POST') return route.answer(call as never)
  const key = request.headers[idempotencyHeader]
  if (typeof key !== 'string') return route.present(await route.act(call as never), call as never)
  return idempotency.answerOnce({
    key,
    method: route.method,
    path: pathOf(request),
    bytes,
    holdsSecret: route.holdsSecret === true,
    context: call.context,
    act: (context) => route.act({ ...call, context } as never),
    present: (result) => route.present(result, call as never),
  })
}

/** The path as it was sent, without the query. */
export function pathOf({ url }: Pick<FastifyRequest, 'url'>): string {
  const end = url.indexOf('?')
  return end < 0 ? url : url.slice(0, end)
}
