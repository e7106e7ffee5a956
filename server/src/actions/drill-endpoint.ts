import { requireScope } from '../core/authorization.ts'
import type { DrillReport } from '../core/rotation-evidence.ts'
import { secretsInForce } from '../core/secret.ts'
import type { ActionContext } from './action-context.ts'
import { noteVerifying } from './judge-rotation.ts'
import { loadEndpoint } from './load.ts'
import { requireProbe, runDrill } from './run-drill.ts'

/**
 * The probes of a rotation without one: shows whether the receiver verifies, before it matters. Of
 * several secrets that sign, the newest counts as new and the next as old.
 */
export async function drillEndpoint(
  context: ActionContext,
  projectId: string,
  ref: string,
): Promise<{ endpointId: string; drill: DrillReport }> {
  requireScope(context.principal, projectId, 'secrets.rotate')
  const { storage, clock } = context
  const endpoint = await loadEndpoint(storage, projectId, ref)
  requireProbe(endpoint)
  const [newest, older] = secretsInForce(await storage.listSecrets(endpoint.id), clock.now())
  if (newest === undefined) throw new Error('An endpoint always has a current secret.')
  const drill = await runDrill(context, {
    endpoint,
    newSecretId: newest.id,
    oldSecretId: older?.id ?? null,
    cause: 'drill',
    isBrief: false,
  })
  return context.transact(async (tx) => {
    const now = await loadEndpoint(tx, projectId, endpoint.id)
    await noteVerifying(tx, context, now, drill)
    return { endpointId: endpoint.id, drill }
  })
}
