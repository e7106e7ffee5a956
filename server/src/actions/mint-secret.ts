import type { Endpoint } from '../core/endpoint.ts'
import { AppError, invalidField } from '../core/errors.ts'
import { type Secret, type SecretAlgorithm, secretFingerprint, secretHint } from '../core/secret.ts'
import { secretContext } from '../core/secret-box.ts'
import type { Format } from '../formats/format.ts'
import { algorithmProblem, generateSecretText, readSecretText } from '../formats/secret-text.ts'
import type { ActionContext } from './action-context.ts'

/**
 * Generates a secret, or takes the caller's, and seals it. What the receiver needs of it leaves here
 * once, as `secretValue`: of a key pair that is the public half, and nothing else ever leaves.
 */
export function mintSecret(
  context: ActionContext,
  input: {
    endpoint: Pick<Endpoint, 'id' | 'projectId'>
    /** Where it was needed earlier, for a plan that names it. */
    id?: string
    format: Format
    algorithm: SecretAlgorithm
    value?: string | undefined
    createdAt: number
    activatesAt: number
    /** Every earlier secret of the endpoint: none may come again. */
    earlier?: readonly Secret[]
  },
): { secret: Secret; secretValue: string } {
  const { endpoint, format, algorithm } = input
  if (!format.algorithms.includes(algorithm)) {
    throw invalidField('algorithm', algorithmProblem(format), 'algorithm_not_in_format')
  }
  const text = input.value ?? generateSecretText(format, algorithm, context.randomBytes)
  const read = readSecretText(format, algorithm, text)
  if ('problem' in read) throw invalidField('secret', read.problem)
  const fingerprint = secretFingerprint(read.sharedBytes)
  if (input.earlier?.some((secret) => secret.fingerprint === fingerprint)) {
    throw new AppError('secret_reused', {
      detail: 'This endpoint has had this secret before.',
      param: 'secret',
    })
  }
  const secretValue = read.publicKey ?? text
  const id = input.id ?? context.newId('sec')
  const secret: Secret = {
    id,
    projectId: endpoint.projectId,
    endpointId: endpoint.id,
    algorithm,
    sealedValue: context.secretBox.seal(text, secretContext(endpoint.id, id)),
    publicKey: read.publicKey,
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
