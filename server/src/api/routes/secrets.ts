import { loadEndpoint } from '../../actions/load.ts'
import { revokePreviousSecret } from '../../actions/revoke-previous-secret.ts'
import { rotateSecret } from '../../actions/rotate-secret.ts'
import { jsonAnswer } from '../answer.ts'
import { jsonBody } from '../request-body.ts'
import { plainRoute, postRoute, type Route } from '../route.ts'
import { listQuery, pageOf, pageRequest, presentPage, slicePage } from '../wire/page.ts'
import {
  presentRotation,
  RevokedPreviousSecretSchema,
  RevokePreviousSecretSchema,
  RotatedSecretSchema,
  RotateSecretSchema,
} from '../wire/rotation.ts'
import { presentMinted, presentSecret, SecretSchema } from '../wire/secret.ts'
import { checkedTime, wireTime } from '../wire/time.ts'

export const SecretPageSchema = pageOf(SecretSchema, 'SecretPage')

export const secretRoutes: readonly Route[] = [
  postRoute({
    method: 'POST',
    path: '/v1/projects/:project/endpoints/:endpoint/secret/rotate',
    name: 'rotateSecret',
    summary: 'Rotate the signing secret',
    description:
      'Makes a new secret. The present one signs beside it for a day, or for `expire_current_in` seconds. The new secret is in this answer only (of an Ed25519 key the public half, and never the private one); the same request under the same Idempotency-Key is answered with it for 24 hours.',
    tag: 'Secrets and rotations',
    access: 'secrets.rotate',
    body: jsonBody(RotateSecretSchema),
    answers: { 200: RotatedSecretSchema },
    refusals: [
      'rotation_in_progress',
      'secret_changed',
      'secret_reused',
      'format_carries_one_signature',
      'public_url_missing',
    ],
    holdsSecret: true,
    act: ({ context, params, body }) =>
      rotateSecret(context, params.project, params.endpoint, {
        expireCurrentInSeconds: body.expire_current_in,
        secret: body.secret,
        algorithm: body.algorithm,
        activateAt: checkedTime(body.activate_at),
        completeWhen: body.complete_when,
        deliver: body.deliver,
        force: body.force,
        reason: body.reason,
        expectedCurrentSecretId: body.expected_current_secret_id,
      }),
    present(
      { endpoint, algorithm, secretValue: value, secretId, claimUrl, ...rotated },
      { context, server },
    ) {
      const minted = { algorithm, value, secretId, endpointId: endpoint.id }
      return jsonAnswer(200, {
        endpoint_id: endpoint.id,
        ...(claimUrl === null
          ? presentMinted(minted, server.publicUrl)
          : { claim_url: claimUrl, secret_id: secretId }),
        previous_secret_expires_at: wireTime(rotated.previousSecretExpiresAt),
        rotation: presentRotation(rotated.rotation, context.clock.now()),
      })
    },
  }),
  postRoute({
    method: 'POST',
    path: '/v1/projects/:project/endpoints/:endpoint/secret/revoke-previous',
    name: 'revokePreviousSecret',
    summary: 'Stop every retiring secret now',
    description: 'Completes the open rotation. Calling it again changes nothing.',
    tag: 'Secrets and rotations',
    access: 'secrets.rotate',
    body: jsonBody(RevokePreviousSecretSchema),
    answers: { 200: RevokedPreviousSecretSchema },
    refusals: ['rotation_not_active'],
    act: ({ context, params, body }) =>
      revokePreviousSecret(context, params.project, params.endpoint, { reason: body.reason }),
    present: ({ revokedSecretIds, rotation }, { context }) =>
      jsonAnswer(200, {
        revoked_secret_ids: revokedSecretIds,
        rotation: rotation === null ? null : presentRotation(rotation, context.clock.now()),
      }),
  }),
  plainRoute({
    method: 'GET',
    path: '/v1/projects/:project/endpoints/:endpoint/secrets',
    name: 'listSecrets',
    summary: 'List all versions of the signing secret',
    description: 'Metadata and computed status, never a value.',
    tag: 'Secrets and rotations',
    access: 'webhooks.read',
    query: listQuery(),
    answers: { 200: SecretPageSchema },
    async answer({ context, params, query }) {
      const request = pageRequest(query)
      const endpoint = await loadEndpoint(context.storage, params.project, params.endpoint)
      const secrets = await context.storage.listSecrets(endpoint.id)
      const now = context.clock.now()
      const page = slicePage(secrets, request)
      return jsonAnswer(
        200,
        presentPage(page, (secret) => presentSecret(secret, secrets, now)),
      )
    },
  }),
]
