import type { Scope } from '../core/authorization.ts'
import { AppError } from '../core/errors.ts'
import type { ActionContext } from './action-context.ts'

/** Nobody hands on more than they have: throws `forbidden`. */
export function refuseBeyondOwnScopes(context: ActionContext, scopes: readonly Scope[]): void {
  const beyond = scopes.filter((scope) => !context.principal.scopes.has(scope))
  if (beyond.length === 0) return
  throw new AppError('forbidden', {
    detail: `Scopes can only be granted by whoever has them: ${beyond.join(', ')}.`,
    param: 'scopes',
  })
}
