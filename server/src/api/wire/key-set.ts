import type { Static } from 'typebox'
import type { Secret } from '../../core/secret.ts'
import { Type } from './type.ts'

/** Where receivers find the public keys of one endpoint. */
export const keySetPath = '/.well-known/webhooks/:endpoint/keys.json'

/** What an endpoint's secrets show to anyone: public halves, under the ids of the secrets. */
export const KeySetSchema = Type.Object(
  {
    keys: Type.Array(
      Type.Object(
        {
          kty: Type.Literal('OKP'),
          crv: Type.Literal('Ed25519'),
          alg: Type.Literal('EdDSA'),
          use: Type.Literal('sig'),
          kid: Type.String({ description: 'Id of the secret, as in `webhook-secret-ids`.' }),
          x: Type.String({ description: 'The public key, in URL-safe base64.' }),
        },
        { additionalProperties: false },
      ),
      { description: 'Those that sign and those that will, newest first.' },
    ),
  },
  {
    $id: 'KeySet',
    additionalProperties: false,
    description: 'Public keys as a JWK set (RFC 7517, RFC 8037).',
  },
)

export function presentKeySet(
  keys: readonly { id: Secret['id']; publicKey: string }[],
): Static<typeof KeySetSchema> {
  return {
    keys: keys.map(({ id, publicKey }) => ({
      kty: 'OKP',
      crv: 'Ed25519',
      alg: 'EdDSA',
      use: 'sig',
      kid: id,
      x: Buffer.from(publicKey.slice(publicKey.indexOf('_') + 1), 'base64').toString('base64url'),
    })),
  }
}
