import { Buffer } from 'node:buffer'
import type { IncomingHttpHeaders } from 'node:http'
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import type { ActionParts } from '../actions/action-context.ts'
import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { createAddressLimit } from './address-limit.ts'
import { type Answer, answerHeaders, sendAnswer } from './answer.ts'
import { apiLimits } from './api-limits.ts'
import { type CredentialChanges, createAuthenticator } from './authenticate.ts'
import { createBodyRoom } from './body-room.ts'
import { components } from './components.ts'
import { addConsole } from './console-files.ts'
import { addCors, answerHeadersFor } from './cors.ts'
import { discardBody } from './discard-body.ts'
import { createFailedAttempts } from './failed-attempts.ts'
import { addFastPath, type FastPath } from './fast-path.ts'
import { createFastRoutes, isFast } from './fast-routes.ts'
import { createIdempotency } from './idempotency.ts'
import { createKeyUses } from './key-uses.ts'
import { watchPaths } from './known-paths.ts'
import { nativeSurface } from './native-surface.ts'
import { type OpenApiDocument, openApiDocument } from './openapi.ts'
import { toAppError } from './problem.ts'
import { createProjectDirectory } from './project-directory.ts'
import { createRateLimiter, type RateLimiter } from './rate-limit.ts'
import { addReference } from './reference.ts'
import { refuseUnreadable } from './refuse-unreadable.ts'
import { addRequestChecks, commonHeaders, noSuchPath, setCommonHeaders } from './request-checks.ts'
import type { Metrics } from './route.ts'
import { serverRoutes } from './routes/server.ts'
import { routes } from './routes.ts'
import { serveDialect } from './serve-dialect.ts'
import { pathOf, type RouteServing, serveRoute } from './serve-route.ts'
import { createSharedRateLimiter } from './shared-rate-limit.ts'
import { createStreams, type Streams } from './streams.ts'
import type { DialectApi, Surface } from './surface.ts'
import { createTurns, type Turns } from './turns.ts'
import { createSchemaCompiler } from './validation.ts'

/** As much of a logger as the API uses. */
export interface ApiLogger {
  error(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export interface ApiOptions {
  parts: ActionParts
  /** One, or two while they are being rotated. */
  rootKeys: readonly string[]
  /** Where callers reach this server, for links; null: links are relative. */
  publicUrl: string | null
  logger: ApiLogger
  metrics: Metrics
  /** False: of all routes, only those that tell of the server itself. Default true. */
  hasApi?: boolean
  /** The console's static files; null: none are served. */
  consoleDirectory: string | null
  /** Addresses and networks of proxies whose `X-Forwarded-For` is believed; none by default. */
  trustedProxies?: readonly string[]
  /** Origins whose pages may call from a browser; none by default. */
  corsOrigins?: readonly string[]
  /** The APIs of other systems, served beside the native one. */
  dialects?: readonly DialectApi[]
  /** What one key may ask: a burst at once, filled up again at this rate. */
  rateLimit: { perSecond: number; burst: number }
  /** How long a request waits for another one under the same Idempotency-Key. */
  idempotencyWaitMs?: number
}

const bodyBounds = {
  bytesMax: apiLimits.bodiesBytesMax,
  bytesPerOwnerMax: apiLimits.bodiesBytesPerProjectMax,
}
const claimBounds = { burst: apiLimits.claimsBurst, perSecond: apiLimits.claimsPerSecond }

/** Between looks for connections that have gone idle while the server stops. */
const idleSweepMs = 20

/** The native HTTP surface. */
export interface Api {
  /** For tests: `app.inject` needs no port. */
  readonly app: FastifyInstance
  /** Starts to listen; resolves to the address, without a trailing slash. */
  listen(at: { host: string; port: number }): Promise<string>
  /**
   * Stops accepting, finishes what is under way, writes down the last uses of keys. What is not
   * answered by the deadline is cut off. May be called again.
   */
  close(deadlineMs: number): Promise<void>
  /** To be called after each commit, before the writers get their answer: a revoked key stops. */
  forgetApiKeys(changes: CredentialChanges): void
}

export function createApi(options: ApiOptions): Api {
  const { logger, metrics } = options
  const streams = createStreams(options.parts)
  const parts = waking(streams, options.parts)
  const publicUrl = options.publicUrl?.replace(/\/+$/, '') ?? null
  const keyUses = createKeyUses({
    storage: parts.storage,
    clock: parts.clock,
    onError: (err) => logger.warn({ err }, 'The last use of API keys could not be written down.'),
  })
  const failedAttempts = createFailedAttempts(parts.clock, parts.storage.cluster)
  const authenticator = createAuthenticator({
    rootKeys: options.rootKeys,
    storage: parts.storage,
    secretBox: parts.secretBox,
    clock: parts.clock,
    failedAttempts,
    noteUse: keyUses.note,
  })
  const projects = createProjectDirectory(parts)
  const document = () => openApiDocument({ publicUrl })
  let openApiText: string | null = null
  const native = nativeSurface(publicUrl)
  const newRequestId = requestIds(options.parts.randomBytes)
  const turns = createTurns({ requestsMax: apiLimits.requestsPerTurnMax })
  const app = createServer(options, { publicUrl, native, newRequestId, turns })
  const serving = {
    parts,
    server: {
      metrics,
      failedAttempts,
      ...addressLimits(parts.clock),
      publicUrl,
      openApiText: () => (openApiText ??= JSON.stringify(document())),
      streams,
      authenticate: (headers: IncomingHttpHeaders, address: string) =>
        authenticator.authenticate(native.credentialOf(headers), address),
    },
    schemas: createSchemaCompiler(components),
    authenticator,
    rateLimiter: rateLimiterOf(options),
    projects,
    bodyRoom: createBodyRoom(bodyBounds),
    idempotency: createIdempotency({
      waitMs: options.idempotencyWaitMs ?? limits.idempotencyWaitMs,
    }),
  }
  const nativeServing = { ...serving, surface: native }
  addRoutes(app, options, nativeServing, document)
  const fastParts = { serving: nativeServing, turns, newRequestId }
  const fastPath = options.hasApi === false ? null : fastPathOf(app, options, fastParts)

  return {
    app,
    listen: ({ host, port }) => app.listen({ host, port }),
    async close(deadlineMs) {
      // They would never end by themselves.
      streams.stop()
      await closeInTime(app, fastPath, deadlineMs)
      await keyUses.stop()
    },
    forgetApiKeys(changes) {
      authenticator.forget(changes)
      projects.forget(changes)
    },
  }
}

/** What this process serves: the API in all its forms, the console, or what tells of itself alone. */
function addRoutes(
  app: FastifyInstance,
  options: ApiOptions,
  serving: RouteServing,
  document: () => OpenApiDocument,
): void {
  const { hasApi = true, consoleDirectory } = options
  addCors(app, options.corsOrigins ?? [])
  for (const route of hasApi ? routes : serverRoutes) {
    serveRoute(app, route, [route.path], serving)
  }
  if (hasApi) {
    for (const dialect of options.dialects ?? []) serveDialect(app, dialect, serving)
    addReference(app, document)
  }
  if (consoleDirectory !== null) addConsole(app, consoleDirectory)
  const start = consoleDirectory !== null ? '/console/' : hasApi ? '/docs/' : null
  if (start !== null) app.get('/', (_request, reply) => reply.redirect(start, 302))
}

/** Several processes on one store count together. */
function rateLimiterOf({ rateLimit, parts: { clock, storage } }: ApiOptions): RateLimiter {
  const { cluster } = storage
  if (cluster === null) return createRateLimiter({ ...rateLimit, clock })
  return createSharedRateLimiter({ ...rateLimit, clock, cluster })
}

/** The shorter way of publishing. */
function fastPathOf(
  { server }: FastifyInstance,
  { corsOrigins = [], logger }: ApiOptions,
  parts: { serving: RouteServing; turns: Turns; newRequestId: () => string },
): FastPath {
  const { serving } = parts
  const fixedHeaders = { ...answerHeaders, ...answerHeadersFor(corsOrigins) }
  const admit = createFastRoutes({
    ...parts,
    routes: routes.filter(isFast),
    commonHeaders: (requestId) => ({ ...commonHeaders(requestId), ...fixedHeaders }),
    presentRefusal: (error, request) => presentRefusal(error, request, serving.surface, logger),
  })
  const { headersTimeoutMs, keepAliveTimeoutMs } = apiLimits
  const { clock } = serving.parts
  const fastPath = addFastPath(server, { clock, headersTimeoutMs, keepAliveTimeoutMs, admit })
  server.on('drop', () => fastPath.closeIdle())
  return fastPath
}

async function closeInTime(
  app: FastifyInstance,
  fastPath: FastPath | null,
  deadlineMs: number,
): Promise<void> {
  fastPath?.stop()
  // A connection that is kept alive goes idle only after its last answer, and would stay open.
  const sweeping = setInterval(() => {
    app.server.closeIdleConnections()
    fastPath?.closeIdle()
  }, idleSweepMs)
  const deadline = setTimeout(() => {
    app.server.closeAllConnections()
    fastPath?.closeAll()
  }, deadlineMs)
  try {
    await app.close()
  } finally {
    clearInterval(sweeping)
    clearTimeout(deadline)
  }
}

/** The same parts; what is accepted through them wakes the streams. */
function waking(streams: Streams, parts: ActionParts): ActionParts {
  return {
    ...parts,
    noteAccepted(count) {
      parts.noteAccepted(count)
      streams.wake()
    },
  }
}

/** What one address may ask for without a key. */
function addressLimits(clock: Clock) {
  return {
    keySetReads: createAddressLimit({ ...keySetReadBounds, clock }),
    claims: createAddressLimit({ ...claimBounds, clock }),
  }
}

/**
 * Requests are checked by `createSchemaCompiler`, and answers come as text. Compilers of its own
 * would be loaded by fastify for any server, 3 MB of them.
 */
const noCompilers = {
  buildValidator: noCompiler,
  buildSerializer: noCompiler,
}

function noCompiler(): never {
  throw new Error('No route has a schema of its own in fastify.')
}

/** What holds for every request: ids, headers, bodies as bytes, refusals as problem documents. */
function createServer(
  options: ApiOptions,
  parts: { publicUrl: string | null; native: Surface; newRequestId: () => string; turns: Turns },
): FastifyInstance {
  const { publicUrl, native, newRequestId, turns } = parts
  const refuse = (
    error: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
    surface = request.routeOptions.config.surface ?? native,
  ) => {
    setCommonHeaders(request, reply)
    const { id, method, routeOptions } = request
    const about = { id, method, route: routeOptions.url }
    const refusal = ownRefusal(error, request) ?? error
    return sendAnswer(reply, presentRefusal(refusal, about, surface, options.logger))
  }
  const app = fastify({
    logger: false,
    genReqId: newRequestId,
    trustProxy: options.trustedProxies === undefined ? false : [...options.trustedProxies],
    requestTimeout: apiLimits.requestTimeoutMs,
    keepAliveTimeout: apiLimits.keepAliveTimeoutMs,
    bodyLimit: limits.requestBodyBytesMax,
    routerOptions: { maxParamLength: apiLimits.pathSegmentLengthMax },
    schemaController: { compilersFactory: noCompilers },
    // What comes in while the server closes is served like the rest.
    return503OnClosing: false,
    // Node would answer these by itself, with an empty body; `unmetRefusal` does it in its place.
    http: {
      requireHostHeader: false,
      headersTimeout: apiLimits.headersTimeoutMs,
      connectionsCheckingInterval: apiLimits.timeoutsCheckedEveryMs,
    },
    // What the router refuses by itself has reached no route, but is somebody's path.
    frameworkErrors: (error, request, reply) =>
      refuse(error, request, reply, paths.surfaceOf(pathOf(request)) ?? native),
    clientErrorHandler: (error, socket) =>
      refuseUnreadable(error, socket, {
        requestId: newRequestId(),
        publicUrl,
        lingerMs: apiLimits.discardedForMs,
      }),
  })
  app.server.on('checkExpectation', (request, response) =>
    app.server.emit('request', request, response),
  )
  app.server.maxConnections = apiLimits.connectionsMax
  app.server.on('drop', () => app.server.closeIdleConnections())
  // As a method with a body it would be refused for its content type, before it is seen that no path takes it.
  app.addHttpMethod('QUERY', { hasBody: false, overrideExisting: true })
  const paths = watchPaths(app)
  addRequestChecks(app, turns, options.parts.rotationOrder, noSuchPath(paths))
  app.setErrorHandler(async (error, request, reply) => {
    if (isBodyTooLarge(error)) await discardBody(request.raw, discardBounds)
    return refuse(error, request, reply)
  })
  return app
}

/** Unique ids without a call for randomness each: some random digits for the process, and a count. */
function requestIds(randomBytes: (size: number) => Uint8Array): () => string {
  const process = Buffer.from(randomBytes(8)).toString('hex')
  let count = 0
  return () => {
    count += 1
    return `req_${process}${count.toString(16).padStart(8, '0')}`
  }
}

/** The answer to what was thrown; what is our own failure is logged. */
function presentRefusal(
  error: unknown,
  request: { id: string; method: string; route: string | undefined },
  surface: Surface,
  logger: ApiLogger,
): Answer {
  const refusal = toAppError(error)
  const { id: requestId, ...about } = request
  if (refusal.status >= 500) {
    const err = refusal.details.cause ?? refusal
    logger.error({ err, requestId, ...about }, 'A request failed.')
  }
  return surface.presentError(refusal, { requestId })
}

const keySetReadBounds = {
  burst: apiLimits.keySetReadsBurst,
  perSecond: apiLimits.keySetReadsPerSecond,
}

const discardBounds = {
  bytesMax: apiLimits.discardedBytesMax,
  waitMs: apiLimits.discardedForMs,
}

const bodyTooLarge = 'FST_ERR_CTP_BODY_TOO_LARGE'

function isBodyTooLarge(error: unknown): boolean {
  return (error as { code?: unknown }).code === bodyTooLarge
}

/** The refusal behind an error of the HTTP framework; null for any other error. */
function ownRefusal(error: unknown, request: FastifyRequest): AppError | null {
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown }
  switch (code) {
    case bodyTooLarge: {
      const bytesMax = request.routeOptions.bodyLimit
      const detail = `The body may take at most ${bytesMax} bytes.`
      return new AppError('payload_too_large', { detail })
    }
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new AppError('not_found', { detail: 'There is no such path.' })
  }
  if (error instanceof AppError || typeof statusCode !== 'number' || statusCode >= 500) return null
  // The rest of what the framework refuses: a body that broke off, or is shorter than announced.
  return new AppError('invalid_json', { detail: 'The body did not arrive whole.', cause: error })
}
