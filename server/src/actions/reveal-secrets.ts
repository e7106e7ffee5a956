import assert from 'node:assert/strict'
import { requireScope } from '../core/authorization.ts'
import type { Endpoint } from '../core/endpoint.ts'
import { currentSecret, type Secret } from '../core/secret.ts'
import { secretContext } from '../core/secret-box.ts'
import type { ActionContext } from './action-context.ts'
import { loadProject } from './load.ts'
import { recordAudit } from './record-audit.ts'

/** The current secret of an endpoint, as far as it may be seen. */
export interface SeenSecret {
  /** Null where it stays hidden. */
  value: string | null
  /** Its last four characters. */
  hint: string
}

/**
 * The current secrets of endpoints of one project, in their order. In clear only where the project's
 * setting `reveal_secret_in_reads` says so and the caller may rotate: whoever may replace a secret
 * learns nothing by seeing it. Each reveal is in the audit log before the value leaves here.
 */
export async function revealSecrets(
  context: ActionContext,
  projectId: string,
  endpoints: readonly Endpoint[],
): Promise<SeenSecret[]> {
  requireScope(context.principal, projectId, 'webhooks.read')
  const { settings } = await loadProject(context.storage, projectId)
  const { principal } = context
  const isAllowed = principal.isRoot || principal.scopes.has('secrets.rotate')
  const secrets = await currentSecrets(context, endpoints)
  if (settings.revealSecretInReads !== true || !isAllowed || endpoints.length === 0) {
    return secrets.map(({ hint }) => ({ value: null, hint }))
  }
  await context.storage.transact(async (tx) => {
    for (const secret of secrets.filter(isRevealable)) {
      await recordAudit(tx, context, {
        projectId,
        action: 'endpoint.secret.revealed',
        target: { type: 'endpoint', id: secret.endpointId },
        details: { secret_id: secret.id },
      })
    }
  })
  return secrets.map((secret) => ({ value: openValue(context, secret), hint: secret.hint }))
}

/** The last four characters of each endpoint's current secret, in the order of the endpoints. */
export async function secretHints(
  context: ActionContext,
  endpoints: readonly Endpoint[],
): Promise<string[]> {
  return (await currentSecrets(context, endpoints)).map(({ hint }) => hint)
}

async function currentSecrets(
  { storage, clock }: ActionContext,
  endpoints: readonly Endpoint[],
): Promise<Secret[]> {
  const now = clock.now()
  return Promise.all(
    endpoints.map(async ({ id }) => {
      const secrets = await storage.listSecrets(id)
      // None signs where the endpoint was deleted since it was read: its newest stands for them.
      const secret = currentSecret(secrets, now) ?? secrets[0]
      assert(secret !== undefined, 'an endpoint has a secret')
      return secret
    }),
  )
}

/** The private key of an Ed25519 endpoint never leaves here, and what was wiped cannot. */
function isRevealable({ algorithm, sealedValue }: Secret): boolean {
  return algorithm === 'hmac-sha256' && sealedValue !== null
}

function openValue({ secretBox }: ActionContext, secret: Secret): string | null {
  const { sealedValue, endpointId, id } = secret
  if (sealedValue === null || !isRevealable(secret)) return null
  return secretBox.open(sealedValue, secretContext(endpointId, id))
}
