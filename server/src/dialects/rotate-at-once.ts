import type { ActionContext } from '../actions/action-context.ts'
import { loadEndpoint } from '../actions/load.ts'
import { type RotatedSecret, rotateSecret } from '../actions/rotate-secret.ts'
import type { Endpoint } from '../core/endpoint.ts'
import { invalidField } from '../core/errors.ts'

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
  if (endpoint.algorithm === 'hmac-sha256') return endpoint
  throw invalidField(
    'algorithm',
    `This endpoint signs with ${endpoint.algorithm}, which only the native API rotates.`,
  )
}
