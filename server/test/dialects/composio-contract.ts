import type { Contract, Field, Operation, OperationAnswer, Parameter } from './contract.ts'

const payloadVersions = ['V1', 'V2', 'V3']

/** The two versions of the API. The seed is a page of the older one. */
const versions = [
  { name: 'v3', prefix: '/api/v3', limitMax: 1000 },
  { name: 'v3.1', prefix: '/api/v3.1', limitMax: 50 },
] as const

type Version = (typeof versions)[number]

/** Exactly one of these two. */
const keys: readonly Parameter[] = ['x-api-key', 'x-user-api-key'].map((name) => ({
  in: 'header',
  name,
  type: 'string',
  isRequired: false,
  note: 'exactly one of `x-api-key` and `x-user-api-key`',
}))

const subscriptionId: Parameter = { in: 'path', name: 'id', type: 'string', isRequired: true }

/** On each answer to a key. */
const rateLimitHeaders = ['x-ratelimit', 'x-ratelimit-remaining', 'x-ratelimit-window-size']

function required(at: string, type: Field['type'], oneOf?: Field['oneOf']): Field {
  return { at, type, isRequired: true, ...(oneOf === undefined ? {} : { oneOf }) }
}

function optional(at: string, type: Field['type']): Field {
  return { at, type, isRequired: false }
}

const errorFields: readonly Field[] = [
  required('error', 'object'),
  required('error.message', 'string'),
  required('error.code', 'number'),
  required('error.slug', 'string'),
  required('error.status', 'number'),
  optional('error.request_id', 'string'),
  optional('error.suggested_fix', 'string'),
  optional('error.errors', 'list'),
  optional('error.errors[]', 'string'),
]

function success(status: number, fields: readonly Field[]): OperationAnswer {
  return { status, contentType: 'application/json', fields, headers: rateLimitHeaders }
}

/** HTTP-level codes are 10000 and the status, where its documents name them. */
function refusal(status: number): OperationAnswer {
  const isNumbered = [400, 401, 404].includes(status)
  return {
    status,
    contentType: 'application/json',
    fields: [
      ...errorFields,
      ...(isNumbered ? [required('error.code', 'number', [10_000 + status])] : []),
      ...(status === 401 ? [required('error.slug', 'string', ['HTTP_Unauthorized'])] : []),
    ],
    // Sent again by the system's clients unless this says no.
    ...(status === 409 ? { headers: ['x-should-retry'] } : {}),
  }
}

/** The one refusal of another shape. */
const tooMany: OperationAnswer = {
  status: 429,
  contentType: 'application/json',
  fields: [required('message', 'string')],
  headers: [...rateLimitHeaders, 'retry-after'],
}

function subscriptionFields(at = ''): Field[] {
  return [
    required(`${at}id`, 'string'),
    required(`${at}webhook_url`, 'uri'),
    required(`${at}version`, 'string', payloadVersions),
    required(`${at}enabled_events`, 'list'),
    required(`${at}enabled_events[]`, 'string'),
    required(`${at}secret`, 'string'),
    required(`${at}created_at`, 'time'),
    required(`${at}updated_at`, 'time'),
  ]
}

function bodyParameters(isCreate: boolean): Parameter[] {
  return [
    { in: 'body', name: 'webhook_url', type: 'uri', isRequired: isCreate, note: 'https' },
    {
      in: 'body',
      name: 'enabled_events',
      type: 'list',
      isRequired: isCreate,
      note: 'at least 1 string',
    },
    {
      in: 'body',
      name: 'version',
      type: 'string',
      isRequired: false,
      note: isCreate ? '`V1`, `V2` or `V3`; V3 where absent' : '`V1`, `V2` or `V3`',
    },
  ]
}

function collectionOperations({ name, prefix, limitMax }: Version): Operation[] {
  const path = `${prefix}/webhook_subscriptions`
  return [
    {
      name: `create subscription (${name})`,
      source: 'vendor',
      method: 'POST',
      path,
      parameters: [...keys, ...bodyParameters(true)],
      answers: [success(201, subscriptionFields()), ...[400, 401, 409, 500].map(refusal), tooMany],
    },
    {
      name: `list subscriptions (${name})`,
      source: 'vendor',
      method: 'GET',
      path,
      parameters: [
        ...keys,
        {
          in: 'query',
          name: 'limit',
          type: 'number',
          isRequired: false,
          note: `max ${limitMax}; nullable`,
        },
        {
          in: 'query',
          name: 'cursor',
          type: 'string',
          isRequired: false,
          note: 'base64 of page and limit; absent for the first page',
        },
      ],
      answers: [
        success(200, [
          required('items', 'list'),
          ...subscriptionFields('items[].'),
          { at: 'next_cursor', type: 'string', isRequired: false, isNullable: true },
          required('total_pages', 'number'),
          required('current_page', 'number'),
          required('total_items', 'number'),
        ]),
        ...[400, 401, 500].map(refusal),
        tooMany,
      ],
    },
    {
      name: `list event types (${name})`,
      source: 'vendor',
      method: 'GET',
      path: `${path}/event_types`,
      parameters: keys,
      answers: [
        success(200, [
          required('items', 'list'),
          required('items[].event_type', 'string'),
          required('items[].description', 'string'),
          required('items[].supported_versions', 'list'),
          required('items[].supported_versions[]', 'string', payloadVersions),
        ]),
        ...[401, 500].map(refusal),
        tooMany,
      ],
    },
  ]
}

function subscriptionOperations({ name, prefix }: Version): Operation[] {
  const path = `${prefix}/webhook_subscriptions/{id}`
  return [
    {
      name: `read subscription (${name})`,
      source: 'vendor',
      method: 'GET',
      path,
      parameters: [...keys, subscriptionId],
      answers: [success(200, subscriptionFields()), ...[401, 404, 500].map(refusal), tooMany],
    },
    {
      name: `change subscription (${name})`,
      source: 'vendor',
      method: 'PATCH',
      path,
      parameters: [...keys, subscriptionId, ...bodyParameters(false)],
      answers: [success(200, subscriptionFields()), ...[400, 401, 404, 500].map(refusal), tooMany],
    },
    {
      name: `delete subscription (${name})`,
      source: 'vendor',
      method: 'DELETE',
      path,
      parameters: [...keys, subscriptionId],
      answers: [
        success(200, [required('success', 'boolean')]),
        ...[401, 404, 500].map(refusal),
        tooMany,
      ],
    },
    name === 'v3' ? rotateOfSeed : rotateOf({ name, prefix }),
  ]
}

const rotatedFields = [required('id', 'string'), required('secret', 'string')]

function rotateOf({ name, prefix }: Pick<Version, 'name' | 'prefix'>): Operation {
  return {
    name: `rotate secret (${name})`,
    source: 'vendor',
    method: 'POST',
    path: `${prefix}/webhook_subscriptions/{id}/rotate_secret`,
    parameters: [...keys, subscriptionId],
    answers: [success(200, rotatedFields), ...[401, 404, 500].map(refusal), tooMany],
  }
}

/** Only what the page itself says. */
const rotateOfSeed: Operation = {
  ...rotateOf(versions[0]),
  source: 'seed',
  answers: [
    { status: 200, contentType: 'application/json', fields: rotatedFields },
    ...[401, 404, 500].map(
      (status): OperationAnswer => ({
        status,
        contentType: 'application/json',
        fields: errorFields,
      }),
    ),
  ],
}

/** What the documents of Composio say of its webhook API (seed 001; dialects.md, section 2). */
export const composioContract: Contract = {
  dialect: 'composio',
  title: 'Composio',
  operations: versions.flatMap((version) => [
    ...collectionOperations(version),
    ...subscriptionOperations(version),
  ]),
}
