import type { ActionContext } from '../actions/action-context.ts'
import { loadEndpoint } from '../actions/load.ts'
import { type RotatedSecret, rotateSecret } from '../actions/rotate-secret.ts'
import type { Endpoint } from '../core/endpoint.ts'
import { invalidField } from '../core/errors.ts'
import { algorithmInForce } from '../core/secret-algorithm.ts'

/**
 * Rotates as the systems without an overlap do: a cut, forced where a window is open. When the
 * answer arrives, nothing but the new secret signs (dialects.md, A5).
 */
export async function rotateAtOnce(
  context: ActionContext,
  projectId: string,
  endpointId: string,
): Promise<RotatedSecret> {
  await refuseOtherAlgorithm(context, projectId, endpointId)
  return rotateSecret(context, projectId, endpointId, { expireCurrentInSeconds: 0, force: true })
}

/** The systems know symmetric secrets only: what they rotate must be one (dialects.md, A5). */
export async function refuseOtherAlgorithm(
  context: ActionContext,
  projectId: string,
  endpointId: string,
): Promise<Endpoint> {
  const endpoint = await loadEndpoint(context.storage, projectId, endpointId)
  const secrets = await context.storage.listSecrets(endpoint.id)
  const algorithm = algorithmInForce(secrets, context.clock.now())
  if (algorithm === 'hmac-sha256') return endpoint
  throw invalidField(
    'algorithm',
    `This endpoint signs with ${algorithm}, which only the native API rotates.`,
  )
}
