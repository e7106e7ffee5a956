import type { Static } from 'typebox'
import type { ApiKey } from '../../core/api-key.ts'
import { scopes } from '../../core/authorization.ts'
import { dialectNames } from '../../core/dialect.ts'
import { limits } from '../../core/limits.ts'
import { nullable, oneOf, text, time } from './fields.ts'
import { wireTime } from './time.ts'
import { Type } from './type.ts'

const scopeList = Type.Array(oneOf(scopes))

const apiKeyFields = {
  id: Type.String(),
  name: Type.String(),
  scopes: scopeList,
  dialect: nullable(
    oneOf(dialectNames, 'The system whose shape the key has; null for a native one.'),
  ),
  hint: Type.String({ description: 'Last four characters of the key.' }),
  created_at: time(),
  expires_at: nullable(time()),
  revoked_at: nullable(time()),
  last_used_at: nullable(time('May lag behind by a minute.')),
}

export const ApiKeySchema = Type.Object(apiKeyFields, {
  $id: 'ApiKey',
  additionalProperties: false,
  description: "A project's key, without its value.",
})

export const CreatedApiKeySchema = Type.Object(
  {
    ...apiKeyFields,
    key: Type.Optional(
      Type.String({ description: 'The key itself, in this answer only. Absent for `dinie`.' }),
    ),
    client_id: Type.Optional(
      Type.String({ description: 'With `client_secret`, what a key for `dinie` consists of.' }),
    ),
    client_secret: Type.Optional(Type.String({ description: 'In this answer only.' })),
  },
  { $id: 'CreatedApiKey', additionalProperties: false },
)

export const CreateApiKeySchema = Type.Object(
  {
    name: text(limits.nameLengthMax),
    scopes: Type.Optional(
      Type.Array(oneOf(scopes), {
        minItems: 1,
        maxItems: scopes.length,
        description: 'All but `keys.write` where absent; never more than the caller has.',
      }),
    ),
    expires_at: Type.Optional(nullable(time('Null or absent: never.'))),
    dialect: Type.Optional(
      oneOf(
        dialectNames,
        'Gives the key the shape that clients of this system know; `dinie` answers `client_id` and `client_secret` in place of `key`. Works on every surface all the same.',
      ),
    ),
  },
  { $id: 'CreateApiKey', additionalProperties: false },
)

export const RotateApiKeySchema = Type.Object(
  {
    expire_current_in: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: limits.expireCurrentInMaxSeconds,
        default: limits.expireCurrentInDefaultSeconds,
        description:
          'Seconds for which the present value works beside the new one; 0: it stops now.',
      }),
    ),
  },
  { $id: 'RotateApiKey', additionalProperties: false },
)

export function presentApiKey(apiKey: ApiKey): Static<typeof ApiKeySchema> {
  return {
    id: apiKey.id,
    name: apiKey.name,
    scopes: apiKey.scopes,
    dialect: apiKey.dialect,
    hint: apiKey.hint,
    created_at: wireTime(apiKey.createdAt),
    expires_at: wireTime(apiKey.expiresAt),
    revoked_at: wireTime(apiKey.revokedAt),
    last_used_at: wireTime(apiKey.lastUsedAt),
  }
}

/** A key just made: the only time that its value is shown. */
export function presentCreatedApiKey(
  apiKey: ApiKey,
  value: string,
): Static<typeof CreatedApiKeySchema> {
  const { clientId } = apiKey
  const shown = clientId === null ? { key: value } : { client_id: clientId, client_secret: value }
  return { ...presentApiKey(apiKey), ...shown }
}
