import type { TSchema } from 'typebox'
import { type ErrorCode, errorTable } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { version } from '../version.ts'
import { components } from './components.ts'
import { STATUS_CODES } from './node-http.ts'
import { errorsPagePath } from './problem.ts'
import type { Access, AnswerSchema, Route, Tag } from './route.ts'
import { routes } from './routes.ts'
import { nameOf, ref } from './wire/fields.ts'
import { ProblemSchema } from './wire/problem.ts'

export type OpenApiDocument = ReturnType<typeof openApiDocument>

/**
 * The OpenAPI 3.1 document, made from the very schemas that requests are checked with. The same
 * input gives the same text, so that a copy can be checked in and compared.
 */
export function openApiDocument(options: { publicUrl: string | null }) {
  return {
    openapi: '3.1.0',
    info: { title: 'Countersign', version, description, license },
    servers: [{ url: options.publicUrl ?? '/' }],
    tags: tags.map((name) => ({ name })),
    paths: paths(),
    components: {
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description: 'A root key, or an API key of a project.',
        },
      },
      parameters,
      schemas: Object.fromEntries(
        Object.entries(components).map(([name, schema]) => [name, withoutId(schema)]),
      ),
    },
  }
}

const license = { name: 'Apache-2.0', identifier: 'Apache-2.0' }

const tags: readonly Tag[] = [
  'Projects',
  'API keys',
  'Portal sessions',
  'Event types',
  'Endpoints',
  'Secrets and rotations',
  'Fleet',
  'Claim links',
  'Events',
  'Deliveries',
  'Audit log',
  'Server',
]

const description = `
JSON in UTF-8, names in snake_case, times in RFC 3339 with milliseconds, in UTC.

**Ids and uids.** \`{project}\` and \`{endpoint}\` take our id or your own \`uid\`.

**Lists** are newest first and stable while items are added: pass \`next_cursor\` as \`cursor\` until it is null.

**Retries.** Send an \`Idempotency-Key\` with a POST: for ${limits.idempotencyKeptMs / 3_600_000} hours the same request under the same key has its effect once and is answered with the same status and body, and \`Idempotent-Replayed: true\`. The path counts as it is written, so stay with the id or with the uid.

**Requests** have an id, which is in the header \`X-Request-Id\` of every answer, in the problem document and in the audit log. The server makes it; one sent along is not taken over, because the audit log must not hold what a caller made up.

**Errors** are problem documents (RFC 9457) that name every field at fault at once. Unknown body fields and query parameters are refused, so that a typo is never silently ignored. Every code is explained at [${errorsPagePath}](${errorsPagePath}).
`.trim()

const parameters = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description: 'Makes the request safe to send again; see above.',
    schema: { type: 'string', minLength: 1, maxLength: limits.idempotencyKeyLengthMax },
  },
}

const pathParameterTexts: Readonly<Record<string, string>> = {
  project: 'Id or uid of the project.',
  endpoint: 'Id or uid of the endpoint.',
  key: 'Id of the key.',
  session: 'Id of the portal session.',
  rotation: 'Id of the rotation.',
  event: 'Id of the event.',
  name: 'The event type, such as `order.paid`.',
  delivery: 'Id of the delivery.',
}

function paths(): Record<string, Record<string, object>> {
  const byPath: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    byPath[path] = { ...byPath[path], [route.method.toLowerCase()]: operation(route) }
  }
  return byPath
}

function operation(route: Route): object {
  const { body } = route
  return {
    operationId: route.name,
    tags: [route.tag],
    summary: route.summary,
    description: [route.description, accessText(route.access)].filter(Boolean).join('\n\n'),
    security: route.access === 'open' ? [] : [{ key: [] }],
    parameters: [...pathParameters(route.path), ...queryParameters(route), ...headers(route)],
    ...(body === undefined
      ? {}
      : { requestBody: { required: isRequired(body.schema), content: jsonContent(body.schema) } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.answers).map(([status, schema]) => [status, response(status, schema)]),
      ),
      ...problemResponses(route),
    },
  }
}

function accessText(access: Access): string | null {
  if (access === 'open') return null
  if (access === 'root') return 'Needs the root key.'
  return access === 'member' ? null : `Needs the scope \`${access}\`.`
}

function pathParameters(path: string): object[] {
  return [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    description: pathParameterTexts[name],
    schema: { type: 'string' },
  }))
}

function queryParameters({ query }: Route): object[] {
  if (query === undefined) return []
  return Object.entries(query.properties).map(([name, schema]) => {
    const { description: text, ...rest } = schema as { description?: string }
    return {
      name,
      in: 'query',
      required: false,
      ...(text === undefined ? {} : { description: text }),
      schema: rest,
    }
  })
}

function headers({ method }: Route): object[] {
  return method === 'POST' ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : []
}

function response(status: string, schema: AnswerSchema): object {
  if (schema === null) return { description: STATUS_CODES[status] ?? status }
  if ('contentType' in schema) {
    return {
      description: schema.description as string,
      content: { [schema.contentType as string]: { schema: {} } },
    }
  }
  return { description: STATUS_CODES[status] ?? status, content: jsonContent(schema) }
}

/** The refusals of the surface and of the action, with all codes of a status in one place. */
function problemResponses(route: Route): Record<string, object> {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of [...surfaceRefusals(route), ...(route.refusals ?? [])]) {
    const { status } = errorTable[code]
    byStatus.set(status, [...new Set([...(byStatus.get(status) ?? []), code])])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\`: ${errorTable[code].title}.`).join('\n\n'),
        content: { 'application/problem+json': { schema: ref(ProblemSchema) } },
      },
    ]),
  )
}

function surfaceRefusals({ access, path, method, body, query }: Route): ErrorCode[] {
  return [
    ...(body === undefined ? [] : (['invalid_json'] as const)),
    ...(access === 'open' ? [] : (['unauthorized', 'forbidden'] as const)),
    ...(path.includes(':') ? (['not_found'] as const) : []),
    ...(method === 'POST' ? (['idempotency_in_flight', 'idempotency_key_reused'] as const) : []),
    ...(body === undefined ? [] : (['payload_too_large', 'unsupported_media_type'] as const)),
    ...(body === undefined && query === undefined ? [] : (['validation_failed'] as const)),
    ...(access === 'open'
      ? []
      : (['rate_limit_exceeded', 'internal_error', 'storage_unavailable'] as const)),
    ...(method === 'GET' ? [] : (['overloaded'] as const)),
  ]
}

function jsonContent(schema: TSchema): object {
  return { 'application/json': { schema: nameOf(schema) in components ? ref(schema) : schema } }
}

function isRequired(schema: TSchema): boolean {
  const { required, minProperties } = schema as { required?: string[]; minProperties?: number }
  return (required?.length ?? 0) > 0 || (minProperties ?? 0) > 0
}

function withoutId(schema: TSchema): object {
  const { $id: _, ...rest } = schema as { $id?: string }
  return rest
}
