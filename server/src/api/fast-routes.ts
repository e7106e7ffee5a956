import type { Socket } from 'node:net'
import type { Answer } from './answer.ts'
import { apiLimits } from './api-limits.ts'
import { type DigestedCredential, digested } from './authenticate.ts'
import type { Serve } from './fast-path.ts'
import type { PlainHead, PlainPost } from './plain-post.ts'
import type { Route } from './route.ts'
import { authorize, type Caller, newContext, type RouteServing } from './serve-route.ts'
import type { Turns } from './turns.ts'

/** Names a project in its path, takes JSON, and asks for no query. */
type FastRoute = Extract<Route, { method: 'POST' }>

/** What is called so often that it is worth a way of its own. */
export function isFast(route: Route): route is FastRoute {
  return route.name === 'publishEvent' || route.name === 'publishBatch'
}

interface FastRoutesOptions {
  routes: readonly FastRoute[]
  serving: RouteServing
  turns: Turns
  newRequestId: () => string
  /** What every answer carries. */
  commonHeaders(requestId: string): Readonly<Record<string, string>>
  presentRefusal(error: unknown, request: { id: string; method: string; route: string }): Answer
}

/**
 * Serves the routes on the fast path as `serveRoute` does behind the HTTP server: the same steps in
 * the same order. What differs is that the body has come already.
 */
export function createFastRoutes(
  options: FastRoutesOptions,
): (request: PlainPost, socket: Socket) => Serve | null {
  const { serving, turns } = options
  const routes = options.routes.map((route) => prepare(route, serving))
  const heads = new WeakMap<PlainHead, KnownHead | null>()
  const knownOf = (head: PlainHead) => {
    const known = heads.get(head)
    if (known !== undefined) return known
    const read = readHead(routes, head)
    heads.set(head, read)
    return read
  }
  return ({ head, body }, socket) => {
    const known = knownOf(head)
    // A body that is too large is refused before it has come.
    if (known === null || body.length > known.route.bytesMax) return null
    return (give) =>
      turns.enter(() => {
        // Whoever has gone before the turn came gets nothing done.
        if (!socket.destroyed) void answer(options, known, { body, socket }, give)
      })
  }
}

/** What a head comes to, which is read once however often the connection sends it. */
interface KnownHead {
  route: PreparedRoute
  headers: { authorization: string }
  /** The project that the path names. */
  ref: string
  /** Null until it was first read. */
  credential: DigestedCredential | null
}

function readHead(
  routes: readonly PreparedRoute[],
  { path, authorization }: PlainHead,
): KnownHead | null {
  for (const route of routes) {
    const ref = refOf(route.path, path)
    if (ref !== null) return { route, headers: { authorization }, ref, credential: null }
  }
  return null
}

interface PreparedRoute {
  route: FastRoute
  path: PathAround
  bytesMax: number
  readBody(bytes: Uint8Array): unknown
}

/** What stands in a path before and after the project. */
type PathAround = readonly [before: string, after: string]

function prepare(route: FastRoute, { schemas, parts }: RouteServing): PreparedRoute {
  const { path, body } = route
  if (body === undefined) throw new Error(`${path} takes no body.`)
  const [before = '', after = ''] = path.split(':project')
  const bytesMax = body.bytesMax(parts.settings)
  return { route, path: [before, after], bytesMax, readBody: body.prepare(schemas, parts) }
}

/** The project that a path names, where it is a path of this kind; else null. */
function refOf([before, after]: PathAround, path: string): string | null {
  if (!path.startsWith(before) || !path.endsWith(after)) return null
  const ref = path.slice(before.length, -after.length)
  const isSegment = ref !== '' && ref.length <= apiLimits.pathSegmentLengthMax && !ref.includes('/')
  return isSegment ? ref : null
}

async function answer(
  options: FastRoutesOptions,
  known: KnownHead,
  { body, socket }: Pick<PlainPost, 'body'> & { socket: Socket },
  give: Parameters<Serve>[0],
): Promise<void> {
  const { serving } = options
  const { route, readBody } = known.route
  const id = options.newRequestId()
  const headers = { ...options.commonHeaders(id) }
  const address = socket.remoteAddress ?? ''
  const asked = {
    headers: known.headers,
    params: { project: known.ref },
    address,
    addHeaders: (more: Readonly<Record<string, string>>) => void Object.assign(headers, more),
  }
  const act = async ({ principal, projectId }: Caller) => {
    const call = {
      params: { project: projectId },
      projectId,
      headers: asked.headers,
      query: {},
      body: readBody(body),
      context: newContext(serving.parts, { principal, requestId: id, sourceAddress: address }),
      server: serving.server,
    }
    return route.present(await route.act(call as never), call as never)
  }
  let given: Answer
  let leaveRoom = () => {}
  try {
    known.credential ??= digested(serving.surface.credentialOf(known.headers))
    const credential = known.credential
    const admitted = authorize(route, serving, { ...asked, credential })
    const caller = admitted instanceof Promise ? await admitted : admitted
    if (socket.destroyed) return
    leaveRoom = serving.bodyRoom.take(caller.projectId, body.length)
    given = await act(caller)
  } catch (error) {
    given = options.presentRefusal(error, { id, method: route.method, route: route.path })
  }
  leaveRoom()
  give(given, headers)
}
