import type { ActionContext } from '../../actions/action-context.ts'
import { revealSecrets, secretHints } from '../../actions/reveal-secrets.ts'
import type { Endpoint } from '../../core/endpoint.ts'
import type { ComposioVersion } from './version.ts'

/**
 * The member `secret` of subscriptions in reads: itself where the version, the project and the key
 * allow it, masked everywhere else (dialects.md, A6).
 */
export async function shownSecrets(
  { readsShowSecrets }: ComposioVersion,
  context: ActionContext,
  endpoints: readonly Endpoint[],
): Promise<string[]> {
  const [first] = endpoints
  // A key that may write and not read gets the answer to its write all the same.
  const mayRead = context.principal.scopes.has('webhooks.read')
  if (first === undefined || !readsShowSecrets || !mayRead) {
    return (await secretHints(context, endpoints)).map(masked)
  }
  const secrets = await revealSecrets(context, first.projectId, endpoints)
  return secrets.map(({ value, hint }) => value ?? masked(hint))
}

function masked(hint: string): string {
  return `****${hint}`
}
