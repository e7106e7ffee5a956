import { cancelRotation } from '../../actions/cancel-rotation.ts'
import { completeRotation } from '../../actions/complete-rotation.ts'
import { drillEndpoint } from '../../actions/drill-endpoint.ts'
import { loadEndpoint, loadRotation } from '../../actions/load.ts'
import { updateRotation } from '../../actions/update-rotation.ts'
import { verifyRotation } from '../../actions/verify-rotation.ts'
import type { Rotation } from '../../core/rotation.ts'
import { type Answer, jsonAnswer } from '../answer.ts'
import { jsonBody } from '../request-body.ts'
import { type Call, plainRoute, postRoute, type Route } from '../route.ts'
import { DrillSchema, presentDrill } from '../wire/evidence.ts'
import { listQuery, pageOf, pageRequest, presentPage } from '../wire/page.ts'
import {
  EndRotationSchema,
  presentRotation,
  RotationSchema,
  UpdateRotationSchema,
} from '../wire/rotation.ts'
import { checkedTime } from '../wire/time.ts'

export const RotationPageSchema = pageOf(RotationSchema, 'RotationPage')

export const rotationRoutes: readonly Route[] = [
  plainRoute({
    method: 'GET',
    path: '/v1/projects/:project/endpoints/:endpoint/rotations',
    name: 'listRotations',
    summary: 'List rotations',
    tag: 'Secrets and rotations',
    access: 'webhooks.read',
    query: listQuery(),
    answers: { 200: RotationPageSchema },
    async answer({ context, params, query }) {
      const request = pageRequest(query)
      const endpoint = await loadEndpoint(context.storage, params.project, params.endpoint)
      const page = await context.storage.listRotations(endpoint.id, request)
      const now = context.clock.now()
      return jsonAnswer(
        200,
        presentPage(page, (rotation) => presentRotation(rotation, now)),
      )
    },
  }),
  plainRoute({
    method: 'GET',
    path: '/v1/projects/:project/endpoints/:endpoint/rotations/:rotation',
    name: 'getRotation',
    summary: 'Read a rotation',
    tag: 'Secrets and rotations',
    access: 'webhooks.read',
    answers: { 200: RotationSchema },
    async answer({ context, params }) {
      const { storage, clock } = context
      const endpoint = await loadEndpoint(storage, params.project, params.endpoint)
      const rotation = await loadRotation(storage, endpoint.id, params.rotation)
      return jsonAnswer(200, presentRotation(rotation, clock.now()))
    },
  }),
  plainRoute({
    method: 'PATCH',
    path: '/v1/projects/:project/endpoints/:endpoint/rotations/:rotation',
    name: 'updateRotation',
    summary: 'Extend or shorten the open window',
    description:
      'Or change what ends it. Nothing expired is revived. A new window ends a hold. Where the rotation waits for proof, `expire_current_in` moves the warning and `previous_secret_expires_at` the cap.',
    tag: 'Secrets and rotations',
    access: 'secrets.rotate',
    body: jsonBody(UpdateRotationSchema),
    answers: { 200: RotationSchema },
    refusals: ['rotation_closed', 'format_carries_one_signature'],
    async answer({ context, params, body }) {
      const { project, endpoint, rotation } = params
      const updated = await updateRotation(context, project, endpoint, rotation, {
        expireCurrentInSeconds: body.expire_current_in,
        previousSecretExpiresAt: checkedTime(body.previous_secret_expires_at),
        completeWhen: body.complete_when,
      })
      return jsonAnswer(200, presentRotation(updated, context.clock.now()))
    },
  }),
  postRoute({
    method: 'POST',
    path: '/v1/projects/:project/endpoints/:endpoint/rotations/:rotation/verify',
    name: 'verifyRotation',
    summary: 'Let the receiver prove which secrets it takes',
    description:
      'Sends up to eight probes, keeps the answers as evidence, and does what follows: proof completes a rotation that waits for it. Probes carry nothing of a customer and are never retried.',
    tag: 'Secrets and rotations',
    access: 'secrets.rotate',
    answers: { 200: RotationSchema },
    refusals: ['rotation_closed', 'not_verifiable'],
    act: ({ context, params }) =>
      verifyRotation(context, params.project, params.endpoint, params.rotation),
    present: rotationAnswer,
  }),
  postRoute({
    method: 'POST',
    path: '/v1/projects/:project/endpoints/:endpoint/rotations/:rotation/complete',
    name: 'completeRotation',
    summary: 'Retire the previous secrets now',
    description: 'Completing it again changes nothing.',
    tag: 'Secrets and rotations',
    access: 'secrets.rotate',
    body: jsonBody(EndRotationSchema),
    answers: { 200: RotationSchema },
    refusals: ['rotation_not_active', 'rotation_closed', 'receiver_not_verified'],
    act: ({ context, params, body }) =>
      completeRotation(context, params.project, params.endpoint, params.rotation, body),
    present: rotationAnswer,
  }),
  postRoute({
    method: 'POST',
    path: '/v1/projects/:project/endpoints/:endpoint/rotations/:rotation/cancel',
    name: 'cancelRotation',
    summary: 'Roll back inside the window',
    description:
      'The new secret is revoked, its predecessor is current again without expiry. Cancelling it again changes nothing.',
    tag: 'Secrets and rotations',
    access: 'secrets.rotate',
    body: jsonBody(EndRotationSchema),
    answers: { 200: RotationSchema },
    refusals: ['rotation_closed', 'receiver_uses_new'],
    act: ({ context, params, body }) =>
      cancelRotation(context, params.project, params.endpoint, params.rotation, body),
    present: rotationAnswer,
  }),
  postRoute({
    method: 'POST',
    path: '/v1/projects/:project/endpoints/:endpoint/drill',
    name: 'drillEndpoint',
    summary: 'Try whether the receiver verifies signatures',
    description:
      'The probes of a rotation, without one. A receiver that takes a wrong signature twice is flagged as `unverifying`.',
    tag: 'Secrets and rotations',
    access: 'secrets.rotate',
    answers: { 200: DrillSchema },
    refusals: ['not_verifiable'],
    act: ({ context, params }) => drillEndpoint(context, params.project, params.endpoint),
    present: ({ endpointId, drill }) => jsonAnswer(200, presentDrill(endpointId, drill)),
  }),
]

function rotationAnswer(rotation: Rotation, { context }: Pick<Call, 'context'>): Answer {
  return jsonAnswer(200, presentRotation(rotation, context.clock.now()))
}
