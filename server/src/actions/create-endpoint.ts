import { requireScope } from '../core/authorization.ts'
import type { DialectName } from '../core/dialect.ts'
import type { Endpoint } from '../core/endpoint.ts'
import { AppError } from '../core/errors.ts'
import { newEndpointHealth } from '../core/health.ts'
import type { Secret } from '../core/secret.ts'
import { headersContext } from '../core/secret-box.ts'
import { formatOf } from '../formats/registry.ts'
import type { Transaction } from '../storage/storage.ts'
import type { ActionContext } from './action-context.ts'
import { type EndpointFields, refuseBadEndpoint } from './endpoint-input.ts'
import { loadProject } from './load.ts'
import { mintSecret } from './mint-secret.ts'
import { uidTaken } from './project-uid.ts'
import { recordAudit } from './record-audit.ts'

export type CreateEndpointInput = Pick<EndpointFields, 'url'> & {
  [Field in Exclude<keyof EndpointFields, 'url'>]?: EndpointFields[Field] | undefined
}

/** Through which dialect an endpoint is created, and how many of its making a project may have. */
export interface EndpointOrigin {
  dialect: DialectName
  /** Absent: as many as the project may have in all. */
  endpointsMax?: number
}

/** The secret's value, or its public key, is returned once. `origin`: null for the native API. */
export async function createEndpoint(
  context: ActionContext,
  projectId: string,
  input: CreateEndpointInput,
  origin: EndpointOrigin | null = null,
): Promise<{ endpoint: Endpoint; secret: Secret; secretValue: string }> {
  requireScope(context.principal, projectId, 'webhooks.write')
  await refuseBadEndpoint(definedFields(input), context.urlPolicy)

  return context.transact(async (tx) => {
    const project = await loadProject(tx, projectId)
    await refuseOverLimit(tx, context, project.id)
    if (origin !== null) await refuseOverOriginLimit(tx, project.id, origin)
    if (input.uid && (await tx.getEndpoint(project.id, input.uid)) !== null) {
      throw uidTaken('endpoint', input.uid)
    }
    const endpoint = newEndpoint(context, project.id, input, origin)
    const { secret, secretValue } = mintSecret(context, {
      endpoint,
      format: formatOf(endpoint.format),
      algorithm: input.algorithm ?? 'hmac-sha256',
      value: input.secret,
      createdAt: endpoint.createdAt,
      activatesAt: endpoint.createdAt,
    })
    await tx.insertEndpoint(endpoint)
    await tx.insertSecret(secret)
    await recordAudit(tx, context, {
      projectId: project.id,
      action: 'endpoint.created',
      target: { type: 'endpoint', id: endpoint.id },
      details: { url: endpoint.url, secret_id: secret.id },
    })
    return { endpoint, secret, secretValue }
  })
}

/** The members that were given, without those that are undefined. */
export function definedFields<T extends object>(input: T): Partial<EndpointFields> {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
}

/** Custom headers: names in clear, values sealed together. */
export function sealHeaders(
  context: ActionContext,
  endpointId: string,
  headers: Record<string, string>,
): Pick<Endpoint, 'headerNames' | 'sealedHeaders'> {
  const headerNames = Object.keys(headers)
  const sealedHeaders =
    headerNames.length === 0
      ? null
      : context.secretBox.seal(JSON.stringify(headers), headersContext(endpointId))
  return { headerNames, sealedHeaders }
}

async function refuseOverLimit(
  tx: Transaction,
  context: ActionContext,
  projectId: string,
): Promise<void> {
  const max = context.settings.endpointsPerProjectMax
  if ((await tx.countEndpoints(projectId)) < max) return
  throw new AppError('endpoint_limit_reached', {
    detail: `This project has ${max} endpoints, which is as many as it may have.`,
  })
}

async function refuseOverOriginLimit(
  tx: Transaction,
  projectId: string,
  { dialect, endpointsMax }: EndpointOrigin,
): Promise<void> {
  if (endpointsMax === undefined) return
  if ((await tx.countEndpoints(projectId, { dialect })) < endpointsMax) return
  throw new AppError('endpoint_limit_reached', {
    detail: `This project has ${endpointsMax} of these already, which is as many as it may have.`,
  })
}

function newEndpoint(
  context: ActionContext,
  projectId: string,
  input: CreateEndpointInput,
  origin: EndpointOrigin | null,
): Endpoint {
  const id = context.newId('ep')
  const now = context.clock.now()
  return {
    id,
    projectId,
    uid: input.uid ?? null,
    url: input.url,
    description: input.description ?? null,
    eventTypes: input.eventTypes ?? ['*'],
    state: input.state ?? 'active',
    ...newEndpointHealth,
    blockedAt: null,
    blockedReason: null,
    signingEnabled: input.signingEnabled ?? true,
    unverifyingSince: null,
    format: input.format ?? 'standard',
    ...sealHeaders(context, id, input.headers ?? {}),
    metadata: input.metadata ?? {},
    rateLimitPerSecond: input.rateLimitPerSecond ?? null,
    createdBy: context.principal.actor,
    dialect: origin?.dialect ?? null,
    createdAt: now,
    updatedAt: now,
    deletedAt: null,
  }
}
