import type { Endpoint } from '../core/endpoint.ts'
import { AppError, invalidField } from '../core/errors.ts'
import { type Secret, secretFingerprint, secretHint } from '../core/secret.ts'
import { secretContext } from '../core/secret-box.ts'
import type { Format } from '../formats/format.ts'
import type { ActionContext } from './action-context.ts'

/** Generates a secret, or takes the caller's, and seals it. The value leaves here once. */
export function mintSecret(
  context: ActionContext,
  input: {
    endpoint: Pick<Endpoint, 'id' | 'projectId' | 'algorithm'>
    /** Where it was needed earlier, for a plan that names it. */
    id?: string
    format: Format
    value?: string | undefined
    createdAt: number
    activatesAt: number
    /** Every earlier secret of the endpoint: none may come again. */
    earlier?: readonly Secret[]
  },
): { secret: Secret; secretValue: string } {
  const { endpoint, format } = input
  const secretValue = input.value ?? format.generateSecret(context.randomBytes)
  const read = format.readSecret(secretValue)
  if ('problem' in read) throw invalidField('secret', read.problem)
  const fingerprint = secretFingerprint(read.keyBytes)
  if (input.earlier?.some((secret) => secret.fingerprint === fingerprint)) {
    throw new AppError('secret_reused', {
      detail: 'This endpoint has had this secret before.',
      param: 'secret',
    })
  }
  const id = input.id ?? context.newId('sec')
  const secret: Secret = {
    id,
    projectId: endpoint.projectId,
    endpointId: endpoint.id,
    algorithm: endpoint.algorithm,
    sealedValue: context.secretBox.seal(secretValue, secretContext(endpoint.id, id)),
    hint: secretHint(secretValue),
    fingerprint,
    createdAt: input.createdAt,
    activatesAt: input.activatesAt,
    expiresAt: null,
    revokedAt: null,
    expirySeenAt: null,
    lastSignedAt: null,
  }
  return { secret, secretValue }
}
