import type { Principal } from '../core/authorization.ts'
import { AppError } from '../core/errors.ts'

/**
 * The project of the key, for APIs whose paths name none. The root key belongs to no project, so it
 * is refused (dialects.md, A3).
 */
export function keyProject(_params: unknown, principal: Principal): string {
  refusePortal(principal)
  if (principal.projectId !== null) return principal.projectId
  throw new AppError('forbidden', {
    detail: 'This API works with the key of a project; the root key belongs to none.',
  })
}

/** Portal tokens are for the native API alone: dialects are doors for programs (dialects.md, A3). */
export function refusePortal({ actor }: Principal): void {
  if (actor.type !== 'portal') return
  throw new AppError('forbidden', { detail: 'This API does not take portal tokens.' })
}
