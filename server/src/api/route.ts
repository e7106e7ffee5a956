import type { IncomingHttpHeaders } from 'node:http'
import type { Static, TObject, TSchema } from 'typebox'
import type { ActionContext } from '../actions/action-context.ts'
import type { Principal, Scope } from '../core/authorization.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { AddressLimit } from './address-limit.ts'
import type { Answer } from './answer.ts'
import type { FailedAttempts } from './failed-attempts.ts'
import type { RequestBody } from './request-body.ts'
import type { Streams } from './streams.ts'

/**
 * Who may call a route: anyone, the root key, any key of the project, or a key of the project with
 * this scope. Checked before the body is read; actions check again, for every surface.
 */
export type Access = 'open' | 'root' | 'member' | Scope

/** What a route can ask of the server that is not in an action's context. */
export interface ServerParts {
  metrics: Metrics
  failedAttempts: FailedAttempts
  /** Bounds how often one address reads public keys. */
  keySetReads: AddressLimit
  /** Where callers reach this server, without a slash at its end; null: links are relative. */
  publicUrl: string | null
  /** Bounds how often one address uses claim links. */
  claims: AddressLimit
  /** The OpenAPI document, as text: made when it is first asked for. */
  openApiText: () => string
  streams: Streams
  /** Who sends this `Authorization`, now; throws or rejects as `Authenticator` says. */
  authenticate(headers: IncomingHttpHeaders, address: string): Principal | Promise<Principal>
}

export interface Metrics {
  readonly contentType: string
  render(): Promise<string>
}

/** One request, checked and read. */
export interface Call<Param extends string = string, Body = unknown, Query = unknown> {
  /** Path parameters; `project` is the project's id, whether id or uid was given. */
  params: Record<Param, string>
  /** The project that the path names, or the key's own; empty where neither does. */
  projectId: string
  headers: IncomingHttpHeaders
  query: Query
  body: Body
  context: ActionContext
  server: ServerParts
}

/** What an answer looks like: a schema, null for no body, or another type than JSON. */
export type AnswerSchema = TSchema | null | { contentType: string; description: string }

/** What the reference tells of a route of the native API. */
interface RouteText {
  /** The name of the operation in the OpenAPI document, which generated clients take over. */
  name: string
  summary: string
  description?: string
  tag: Tag
  answers: Readonly<Record<number, AnswerSchema>>
  /** Refusals of the action itself. */
  refusals?: readonly ErrorCode[]
}

interface RequestShape<Path extends string, Body, Query extends TObject> {
  path: Path
  access: Access
  query?: Query
  body?: RequestBody<Body>
}

/** A route whose answer is made anew for each request. */
export interface PlainRoute<Path extends string, Body, Query extends TObject>
  extends RequestShape<Path, Body, Query> {
  method: 'GET' | 'PUT' | 'PATCH' | 'DELETE'
  answer(call: Call<PathParam<Path>, Body, Static<Query>>): Answer | Promise<Answer>
}

/**
 * A POST, which may come under an Idempotency-Key. The answer follows from the action's result
 * alone, because it is kept in the action's own transaction.
 */
export interface PostRoute<Path extends string, Body, Query extends TObject, Result>
  extends RequestShape<Path, Body, Query> {
  method: 'POST'
  /** Kept answers of this route are sealed. */
  holdsSecret?: true
  act(call: Call<PathParam<Path>, Body, Static<Query>>): Promise<Result>
  present(result: Result, call: Call<PathParam<Path>, Body, Static<Query>>): Answer
}

/** A route of any types, as it is served. */
export type ServedRoute =
  | PlainRoute<string, unknown, TObject>
  | PostRoute<string, unknown, TObject, unknown>

/** A route of the native API: what is served, and what the reference says of it. */
export type Route = ServedRoute & RouteText

export type Tag =
  | 'Projects'
  | 'API keys'
  | 'Portal sessions'
  | 'Event types'
  | 'Endpoints'
  | 'Secrets and rotations'
  | 'Fleet'
  | 'Claim links'
  | 'Events'
  | 'Deliveries'
  | 'Audit log'
  | 'Server'

/** Ties the types of a route's parts together while it is written down, and then lets go of them. */
export function plainRoute<const Path extends string, Body, Query extends TObject>(
  route: PlainRoute<Path, Body, Query> & RouteText,
): Route {
  return route as unknown as Route
}

export function postRoute<const Path extends string, Body, Query extends TObject, Result>(
  route: PostRoute<Path, Body, Query, Result> & RouteText,
): Route {
  return route as unknown as Route
}

/** As `plainRoute`, for the API of another system, which its own documentation describes. */
export function dialectRoute<const Path extends string, Body, Query extends TObject>(
  route: PlainRoute<Path, Body, Query>,
): ServedRoute {
  return route as unknown as ServedRoute
}

/** As `postRoute`, for the API of another system. */
export function dialectPostRoute<const Path extends string, Body, Query extends TObject, Result>(
  route: PostRoute<Path, Body, Query, Result>,
): ServedRoute {
  return route as unknown as ServedRoute
}

/** The names of the parameters in a path. */
export type PathParam<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | PathParam<Rest>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never
