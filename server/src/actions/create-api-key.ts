import { type ApiKey, hashApiKey, makeApiKeyValue } from '../core/api-key.ts'
import { defaultScopes, requireScope, type Scope } from '../core/authorization.ts'
import type { DialectName } from '../core/dialect.ts'
import { invalidField } from '../core/errors.ts'
import { secretHint } from '../core/secret.ts'
import type { ActionContext } from './action-context.ts'
import { refuseBeyondOwnScopes } from './grantable-scopes.ts'
import { loadProject } from './load.ts'
import { recordAudit } from './record-audit.ts'

export interface CreateApiKeyInput {
  name: string
  scopes?: readonly Scope[] | undefined
  expiresAt: number | null
  /** The system whose shape the key is to have. */
  dialect?: DialectName | undefined
}

/** The value is returned once and kept only as a hash. */
export async function createApiKey(
  context: ActionContext,
  projectId: string,
  input: CreateApiKeyInput,
): Promise<{ apiKey: ApiKey; value: string }> {
  requireScope(context.principal, projectId, 'keys.write')
  const dialect = input.dialect ?? null
  const asked = input.scopes ?? grantableDefaults(context)
  const scopes = [...new Set([...asked, ...impliedScopes(dialect, asked)])]
  refuseBeyondOwnScopes(context, scopes)
  return context.transact(async (tx) => {
    const now = context.clock.now()
    if (input.expiresAt !== null && input.expiresAt <= now) {
      throw invalidField('expires_at', 'This lies in the past; give a time ahead.')
    }
    const project = await loadProject(tx, projectId)
    const { value, clientId } = makeApiKeyValue(context.randomBytes, dialect)
    const apiKey: ApiKey = {
      id: context.newId('key'),
      projectId: project.id,
      name: input.name,
      scopes,
      dialect,
      clientId,
      hint: secretHint(value),
      hash: hashApiKey(value),
      previousHash: null,
      previousExpiresAt: null,
      createdAt: now,
      expiresAt: input.expiresAt,
      revokedAt: null,
      lastUsedAt: null,
    }
    await tx.insertApiKey(apiKey)
    await recordAudit(tx, context, {
      projectId: project.id,
      action: 'api_key.created',
      target: { type: 'api_key', id: apiKey.id },
      details: { name: apiKey.name, scopes, ...(dialect === null ? {} : { dialect }) },
    })
    return { apiKey, value }
  })
}

/** DevTune's documents let `webhooks.write` rotate; the creator must have what is implied, too. */
function impliedScopes(dialect: DialectName | null, asked: readonly Scope[]): Scope[] {
  return dialect === 'devtune' && asked.includes('webhooks.write') ? ['secrets.rotate'] : []
}

function grantableDefaults(context: ActionContext): Scope[] {
  return defaultScopes.filter((scope) => context.principal.scopes.has(scope))
}
