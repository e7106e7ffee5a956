import { requireScope } from '../core/authorization.ts'
import type { Endpoint } from '../core/endpoint.ts'
import { invalidField } from '../core/errors.ts'
import { switchedOn } from '../core/health.ts'
import type { Rotation } from '../core/rotation.ts'
import { isSecretLive, type Secret } from '../core/secret.ts'
import { secretContext } from '../core/secret-box.ts'
import { formatOf } from '../formats/registry.ts'
import { readSecretText } from '../formats/secret-text.ts'
import type { Transaction } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'
import { type CreateEndpointInput, definedFields, sealHeaders } from './create-endpoint.ts'
import { emitOperationalEvent } from './emit-operational-event.ts'
import { refuseBadEndpoint } from './endpoint-input.ts'
import { loadEndpoint } from './load.ts'
import { uidTaken } from './project-uid.ts'
import { recordAudit } from './record-audit.ts'
import { rescheduleLook } from './reschedule-look.ts'
import { canProbe } from './run-drill.ts'

export type UpdateEndpointInput = Partial<Omit<CreateEndpointInput, 'algorithm' | 'secret'>>

/**
 * Setting `state: active` also unblocks, and failures are counted anew. The latest rotation and
 * the secrets are read in the same transaction, so that nothing can fail between the change and its answer.
 */
export async function updateEndpoint(
  context: ActionContext,
  projectId: string,
  ref: string,
  input: UpdateEndpointInput,
): Promise<{ endpoint: Endpoint; latestRotation: Rotation | null; secrets: Secret[] }> {
  requireScope(context.principal, projectId, 'webhooks.write')
  const fields = definedFields(input)
  await refuseBadEndpoint(fields, context.urlPolicy)

  return context.transact(async (tx) => {
    const before = await loadEndpoint(tx, projectId, ref)
    if (input.uid && input.uid !== before.uid) {
      if ((await tx.getEndpoint(projectId, input.uid)) !== null) {
        throw uidTaken('endpoint', input.uid)
      }
    }
    if (input.format !== undefined && input.format !== before.format) {
      await refuseUnfitSecrets(tx, context, before, input.format)
    }
    const { headers, ...plain } = fields
    const after: Endpoint = {
      ...before,
      ...plain,
      ...(headers === undefined ? {} : sealHeaders(context, before.id, headers)),
      updatedAt: context.clock.now(),
    }
    if (before.state === 'disabled' && after.state === 'active') {
      Object.assign(after, switchedOn(after), { blockedAt: null, blockedReason: null })
    }
    await tx.updateEndpoint(after)
    await tx.updateEndpointHealth(after.id, after)
    if (canProbe(after) !== canProbe(before)) await rescheduleLook(tx, context, after)
    await recordAudit(tx, context, {
      projectId,
      action: 'endpoint.updated',
      target: { type: 'endpoint', id: after.id },
      details: { fields: Object.keys(fields), state: after.state },
    })
    if (before.state === 'active' && after.state === 'disabled') {
      await emitOperationalEvent(tx, context, projectId, 'endpoint.disabled', {
        endpoint_id: after.id,
        reason: 'disabled through the API',
      })
    }
    const latestRotation = await tx.latestRotation(after.id)
    return { endpoint: after, latestRotation, secrets: await tx.listSecrets(after.id) }
  })
}

/** An endpoint's live secrets must fit the key rule of its new format, or nothing could sign. */
async function refuseUnfitSecrets(
  tx: Transaction,
  context: ActionContext,
  endpoint: Endpoint,
  formatName: string,
): Promise<void> {
  const now = context.clock.now()
  const format = formatOf(formatName)
  for (const secret of await tx.listSecrets(endpoint.id)) {
    if (!isSecretLive(secret, now) || secret.sealedValue === null) continue
    const value = context.secretBox.open(secret.sealedValue, secretContext(endpoint.id, secret.id))
    if ('problem' in readSecretText(format, secret.algorithm, value)) {
      throw invalidField(
        'format',
        `Secret ${secret.id} does not have the shape that ${formatName} needs. Rotate to a secret that fits both formats first.`,
        'secret_does_not_fit',
      )
    }
  }
}
