import { claimSecret, disputeClaim } from '../../actions/claim-secret.ts'
import { reissueClaimLink } from '../../actions/reissue-claim-link.ts'
import { jsonAnswer } from '../answer.ts'
import { claimPage, claimPageHeaders, claimPagePath } from '../claim-page.ts'
import { jsonBody } from '../request-body.ts'
import { plainRoute, postRoute, type Route } from '../route.ts'
import {
  ClaimedSecretSchema,
  ClaimSecretSchema,
  DisputedClaimSchema,
  presentClaimed,
  presentDisputed,
  ReissuedClaimLinkSchema,
} from '../wire/claim-link.ts'
import { presentRotation } from '../wire/rotation.ts'

const page = claimPage()

export const claimLinkRoutes: readonly Route[] = [
  plainRoute({
    method: 'GET',
    path: claimPagePath,
    name: 'readClaimPage',
    summary: 'The page that a claim link leads to',
    description: 'Static, the same for everyone: opening it uses nothing up.',
    tag: 'Claim links',
    access: 'open',
    answers: { 200: { contentType: 'text/html', description: 'The page.' } },
    answer: () => ({
      status: 200,
      contentType: 'text/html; charset=utf-8',
      text: page,
      headers: claimPageHeaders,
    }),
  }),
  postRoute({
    method: 'POST',
    path: '/v1/claims',
    name: 'claimSecret',
    summary: 'Use a claim link: get the secret, once',
    description:
      'Needs no key: the token is the credential. The overlap with the secret before begins now. A link that was used says when.',
    tag: 'Claim links',
    access: 'open',
    body: jsonBody(ClaimSecretSchema),
    answers: { 200: ClaimedSecretSchema },
    refusals: ['not_found', 'claim_used', 'rotation_closed', 'rate_limit_exceeded'],
    act({ context, body, server }) {
      server.claims.take(context.sourceAddress ?? '')
      return claimSecret(context, body.token)
    },
    present: (claimed) => jsonAnswer(200, presentClaimed(claimed)),
  }),
  postRoute({
    method: 'POST',
    path: '/v1/claims/dispute',
    name: 'disputeClaim',
    summary: 'Say of a used claim link: this was not me',
    description:
      'Flags the rotation (`attention: claim_disputed`). Saying it again changes nothing.',
    tag: 'Claim links',
    access: 'open',
    body: jsonBody(ClaimSecretSchema),
    answers: { 200: DisputedClaimSchema },
    refusals: ['not_found', 'claim_not_used', 'rate_limit_exceeded'],
    act({ context, body, server }) {
      server.claims.take(context.sourceAddress ?? '')
      return disputeClaim(context, body.token)
    },
    present: (link) => jsonAnswer(200, presentDisputed(link)),
  }),
  postRoute({
    method: 'POST',
    path: '/v1/projects/:project/endpoints/:endpoint/rotations/:rotation/claim-link',
    name: 'reissueClaimLink',
    summary: 'Make a new claim link for a secret that nobody has claimed',
    description: 'The link before works no more.',
    tag: 'Claim links',
    access: 'secrets.rotate',
    answers: { 200: ReissuedClaimLinkSchema },
    refusals: ['rotation_closed', 'claim_used', 'public_url_missing'],
    holdsSecret: true,
    act: ({ context, params }) =>
      reissueClaimLink(context, params.project, params.endpoint, params.rotation),
    present: ({ rotation, claimUrl }, { context }) =>
      jsonAnswer(200, {
        claim_url: claimUrl,
        rotation: presentRotation(rotation, context.clock.now()),
      }),
  }),
]
