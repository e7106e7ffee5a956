import type { IncomingHttpHeaders } from 'node:http'
import type { Principal } from '../core/authorization.ts'
import type { AppError } from '../core/errors.ts'
import type { Answer } from './answer.ts'
import type { Quota } from './rate-limit.ts'
import type { ServedRoute } from './route.ts'

/** How one API looks from outside beyond its routes: the native one, or that of another system. */
export interface Surface {
  /** The key of a request; throws `unauthorized` where there is none, or more than one. */
  credentialOf(headers: IncomingHttpHeaders): string
  /**
   * The project that a path names, as id or uid; empty where it names none, null where what it
   * names cannot be a project.
   *
   * @throws AppError `forbidden` where the path leaves it to the key and the key has no project.
   */
  projectRefOf(params: Readonly<Record<string, string>>, principal: Principal): string | null
  presentError(error: AppError, about: { requestId: string }): Answer
  /** What tells a caller how much may still be asked. */
  rateLimitHeaders(quota: Quota): Readonly<Record<string, string>>
  /** Lower-case names of the headers that make a POST safe to send again; the first one counts. */
  idempotencyHeaders: readonly string[]
}

/** The API of another system, on its own paths. */
export interface DialectApi {
  surface: Surface
  /** What stands before the path of every route, each time the same: empty, or `/v1`. */
  prefixes: readonly string[]
  routes: readonly ServedRoute[]
  /**
   * Paths whose last segments are words of this API: what lies below them and is not a route is
   * nobody's, never another API's parameter.
   */
  ownSubtrees: readonly string[]
}
