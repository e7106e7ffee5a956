import { AppError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { isSecretLive } from '../../core/secret.ts'
import { jsonAnswer } from '../answer.ts'
import { plainRoute, type Route } from '../route.ts'
import { KeySetSchema, keySetPath, presentKeySet } from '../wire/key-set.ts'

export const keySetRoutes: readonly Route[] = [
  plainRoute({
    method: 'GET',
    path: keySetPath,
    name: 'readKeySet',
    summary: 'Read the public keys of an endpoint',
    description:
      'For receivers of an endpoint that signs with Ed25519, or is about to: they follow its rotations by reading this now and then. By id only; an endpoint without a public key is not told from one that does not exist.',
    tag: 'Secrets and rotations',
    access: 'open',
    answers: { 200: KeySetSchema },
    refusals: ['rate_limit_exceeded', 'storage_unavailable'],
    async answer({ context, params, server }) {
      server.keySetReads.take(context.sourceAddress ?? '')
      const now = context.clock.now()
      // Those of a deleted endpoint are revoked, so that nothing else has to be asked.
      const keys = (await context.storage.listSecrets(params.endpoint)).flatMap((secret) => {
        const { id, publicKey } = secret
        return publicKey === null || !isSecretLive(secret, now) ? [] : [{ id, publicKey }]
      })
      if (keys.length === 0) {
        throw new AppError('not_found', { detail: 'There are no public keys under this id.' })
      }
      const cacheControl = `public, max-age=${limits.keySetMaxAgeSeconds}`
      return { ...jsonAnswer(200, presentKeySet(keys)), headers: { 'cache-control': cacheControl } }
    },
  }),
]
