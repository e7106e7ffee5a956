import type { Contract, Field, Operation, OperationAnswer, Parameter } from './contract.ts'

/** What a webhook can subscribe to. */
const eventTypes = [
  'search-tracking.completed',
  'visibility.changed',
  'action.created',
  'action.updated',
  'action.recommendation.created',
  'action.recommendation.updated',
]

/** Every call takes the key in this header. */
const key: Parameter = {
  in: 'header',
  name: 'authorization',
  type: 'string',
  isRequired: true,
  note: '`Bearer` and a key, `dtk_live_…`',
}

const projectId: Parameter = { in: 'path', name: 'projectId', type: 'uuid', isRequired: true }
const webhookId: Parameter = { in: 'path', name: 'webhookId', type: 'uuid', isRequired: true }

/** Said of every answer; without a right key there is nothing that they could count. */
const rateLimitHeaders = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset']

function required(at: string, type: Field['type'], oneOf?: Field['oneOf']): Field {
  return { at, type, isRequired: true, ...(oneOf === undefined ? {} : { oneOf }) }
}

/** The schema of the envelope requires none of its members; here they are never absent. */
const envelope: readonly Field[] = [
  { at: 'data', type: 'object', isRequired: false },
  { at: 'meta', type: 'object', isRequired: false },
  { at: 'meta.timestamp', type: 'time', isRequired: false },
  { at: 'meta.projectId', type: 'uuid', isRequired: false },
]

function webhookFields(at: string): Field[] {
  return [
    required(`${at}.id`, 'uuid'),
    required(`${at}.url`, 'uri'),
    required(`${at}.events`, 'list'),
    required(`${at}.events[]`, 'string', eventTypes),
    required(`${at}.isActive`, 'boolean'),
    required(`${at}.createdAt`, 'time'),
    required(`${at}.updatedAt`, 'time'),
  ]
}

const errorCodes = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  429: 'rate_limit_exceeded',
} as const

function refusal(status: keyof typeof errorCodes): OperationAnswer {
  return {
    status,
    contentType: 'application/json',
    fields: [
      required('error', 'string', [errorCodes[status]]),
      required('message', 'string'),
      required('status', 'integer', [status]),
    ],
    ...(status === 401 ? {} : { headers: rateLimitHeaders }),
  }
}

function success(status: number, fields: readonly Field[]): OperationAnswer {
  return { status, contentType: 'application/json', fields, headers: rateLimitHeaders }
}

const seedErrorFields: readonly Field[] = [
  required('error', 'string'),
  required('message', 'string'),
  required('status', 'integer'),
]

const rotation: Operation = {
  name: 'rotate secret',
  source: 'seed',
  method: 'POST',
  path: '/api/v2/projects/{projectId}/webhooks/{webhookId}/rotate-secret',
  parameters: [key, projectId, webhookId],
  answers: [
    {
      status: 200,
      contentType: 'application/json',
      fields: [...envelope, required('data.secret', 'string')],
    },
    ...[401, 403, 404].map((status) => ({
      status,
      contentType: 'application/json' as const,
      fields: seedErrorFields,
    })),
    {
      status: 429,
      contentType: 'application/json',
      fields: seedErrorFields,
      headers: rateLimitHeaders,
    },
  ],
}

const otherOperations: readonly Operation[] = [
  {
    name: 'create webhook',
    source: 'vendor',
    method: 'POST',
    path: '/api/v2/projects/{projectId}/webhooks',
    parameters: [
      key,
      projectId,
      {
        in: 'body',
        name: 'url',
        type: 'uri',
        isRequired: true,
        note: 'max 2048, public, `https`',
      },
      {
        in: 'body',
        name: 'events',
        type: 'list',
        isRequired: true,
        note: 'at least one of the six types; no wildcard',
      },
    ],
    answers: [
      success(201, [...envelope, ...webhookFields('data'), required('data.secret', 'string')]),
      refusal(400),
      refusal(401),
      refusal(403),
      refusal(429),
    ],
  },
  {
    name: 'list webhooks',
    source: 'vendor',
    method: 'GET',
    path: '/api/v2/projects/{projectId}/webhooks',
    parameters: [key, projectId],
    answers: [
      success(200, [
        ...envelope,
        required('data.webhooks', 'list'),
        ...webhookFields('data.webhooks[]'),
      ]),
      refusal(401),
      refusal(403),
      refusal(429),
    ],
  },
  {
    name: 'delete webhook',
    source: 'vendor',
    method: 'DELETE',
    path: '/api/v2/projects/{projectId}/webhooks/{webhookId}',
    parameters: [key, projectId, webhookId],
    answers: [
      success(200, [required('deleted', 'boolean')]),
      refusal(401),
      refusal(403),
      refusal(404),
      refusal(429),
    ],
  },
]

/** DevTune, API version 2.0.0: the rotation of its document, and what its other pages say. */
export const devtuneContract: Contract = {
  dialect: 'devtune',
  title: 'DevTune',
  operations: [...otherOperations, rotation],
}
