import type { Contract, Field, Operation, OperationAnswer, Parameter } from './contract.ts'

const states = ['ACTIVE', 'DISABLED', 'DELETED']
const healths = ['healthy', 'failing', 'blocked']
const deliveryStatuses = ['pending', 'success', 'skipped', 'dead']

/** Every call takes the key in this header. */
const key: Parameter = {
  in: 'header',
  name: 'authorization',
  type: 'string',
  isRequired: true,
  note: '`Bearer` and an opaque key',
}

const webhookId: Parameter = { in: 'path', name: 'id', type: 'uuid', isRequired: true }
const page: Parameter = { in: 'query', name: 'page', type: 'integer', isRequired: false }
const pageSize: Parameter = { in: 'query', name: 'pageSize', type: 'integer', isRequired: false }
const since: Parameter = { in: 'query', name: 'since', type: 'time', isRequired: false }
const eventId: Parameter = {
  in: 'query',
  name: 'eventId',
  type: 'string',
  isRequired: false,
  note: 'exact',
}

/** Documented for 404 only; ours for every refusal. */
const error: Field = { at: 'error', type: 'string', isRequired: true }

function refusal(status: number): OperationAnswer {
  return { status, contentType: 'application/json', fields: [error] }
}

function success(status: number, fields: readonly Field[]): OperationAnswer {
  return { status, contentType: 'application/json', fields }
}

function required(at: string, type: Field['type'], oneOf?: Field['oneOf']): Field {
  return { at, type, isRequired: true, ...(oneOf === undefined ? {} : { oneOf }) }
}

function nullable(at: string, type: Field['type']): Field {
  return { at, type, isRequired: true, isNullable: true }
}

/** What the rotate page lists, without the secret. */
function webhookFields(at: string): Field[] {
  return [
    required(`${at}.id`, 'uuid'),
    required(`${at}.url`, 'string'),
    required(`${at}.eventTypes`, 'list'),
    required(`${at}.eventTypes[]`, 'string'),
    required(`${at}.state`, 'string', states),
    required(`${at}.health`, 'string', healths),
    nullable(`${at}.blockedAt`, 'string'),
    nullable(`${at}.blockedReason`, 'string'),
    required(`${at}.signingEnabled`, 'boolean'),
    nullable(`${at}.description`, 'string'),
    required(`${at}.createdAt`, 'string'),
    required(`${at}.updatedAt`, 'string'),
  ]
}

/** As later clients know it. */
function laterWebhookFields(at: string): Field[] {
  return [...webhookFields(at), nullable(`${at}.createdBy`, 'string')]
}

const secret = required('data.secret', 'string')

const pagination: readonly Field[] = [
  required('pagination', 'object'),
  required('pagination.hasNext', 'boolean'),
  required('pagination.hasPrev', 'boolean'),
  required('pagination.page', 'integer'),
  required('pagination.pages', 'integer'),
  required('pagination.pageSize', 'integer'),
  required('pagination.total', 'integer'),
]

/** All but `attempts`, which is a number in lists and a list in the detail. */
function deliveryFields(at: string): Field[] {
  return [
    required(`${at}.id`, 'uuid'),
    required(`${at}.endpointId`, 'uuid'),
    required(`${at}.eventId`, 'string'),
    required(`${at}.eventType`, 'string'),
    required(`${at}.source`, 'string'),
    required(`${at}.status`, 'string', deliveryStatuses),
    required(`${at}.isTest`, 'boolean'),
    nullable(`${at}.lastStatusCode`, 'integer'),
    nullable(`${at}.lastError`, 'string'),
    nullable(`${at}.durationMs`, 'number'),
    required(`${at}.occurredAt`, 'time'),
    nullable(`${at}.completedAt`, 'time'),
    required(`${at}.createdAt`, 'time'),
    nullable(`${at}.createdBy`, 'string'),
  ]
}

const webhookOperations: readonly Operation[] = [
  {
    name: 'create webhook',
    source: 'vendor',
    method: 'POST',
    path: '/webhooks',
    parameters: [
      key,
      { in: 'body', name: 'url', type: 'uri', isRequired: true, note: 'max 2048' },
      {
        in: 'body',
        name: 'eventTypes',
        type: 'list',
        isRequired: false,
        note: 'max 100 items of 1–256 characters; omitted: all events',
      },
      { in: 'body', name: 'description', type: 'string', isRequired: false, note: 'max 500' },
    ],
    answers: [success(201, [...laterWebhookFields('data'), secret]), refusal(401)],
  },
  {
    name: 'list webhooks',
    source: 'vendor',
    method: 'GET',
    path: '/webhooks',
    parameters: [
      key,
      page,
      pageSize,
      {
        in: 'query',
        name: 'status',
        type: 'string',
        isRequired: false,
        note: '`active`, `failing`, `blocked`, `disabled`',
      },
      {
        in: 'query',
        name: 'search',
        type: 'string',
        isRequired: false,
        note: 'part of url or description, in any case',
      },
      { in: 'query', name: 'mine', type: 'string', isRequired: false, note: '`true`, `false`' },
      {
        in: 'query',
        name: 'createdBy',
        type: 'string',
        isRequired: false,
        note: 'not with `mine`',
      },
    ],
    answers: [
      success(200, [
        required('items', 'list'),
        ...laterWebhookFields('items[]'),
        ...pagination,
        ...['total', 'active', 'failing', 'blocked', 'disabled'].map((name) =>
          required(`counts.${name}`, 'integer'),
        ),
      ]),
      refusal(401),
    ],
  },
  {
    name: 'read webhook',
    source: 'vendor',
    method: 'GET',
    path: '/webhooks/{id}',
    parameters: [key, webhookId],
    answers: [success(200, laterWebhookFields('data')), refusal(401), refusal(404)],
  },
  {
    name: 'change webhook',
    source: 'vendor',
    method: 'PATCH',
    path: '/webhooks/{id}',
    parameters: [
      key,
      webhookId,
      { in: 'body', name: 'eventTypes', type: 'list', isRequired: false },
      {
        in: 'body',
        name: 'state',
        type: 'string',
        isRequired: false,
        note: '`ACTIVE`, which also unblocks, or `DISABLED`',
      },
      { in: 'body', name: 'description', type: 'string', isRequired: false, note: 'or null' },
    ],
    answers: [success(200, laterWebhookFields('data')), refusal(404)],
  },
  {
    name: 'delete webhook',
    source: 'vendor',
    method: 'DELETE',
    path: '/webhooks/{id}',
    parameters: [key, webhookId],
    answers: [{ status: 204, contentType: 'none', fields: [] }, refusal(404)],
  },
  {
    name: 'rotate secret',
    source: 'seed',
    method: 'POST',
    path: '/webhooks/{id}/rotate-secret',
    parameters: [key, webhookId],
    answers: [
      success(200, [required('data', 'object'), ...webhookFields('data'), secret]),
      refusal(401),
      refusal(404),
      refusal(500),
    ],
  },
  {
    name: 'test webhook',
    source: 'vendor',
    method: 'POST',
    path: '/webhooks/{id}/test',
    parameters: [key, webhookId],
    answers: [
      success(200, [
        required('data.success', 'boolean'),
        nullable('data.statusCode', 'integer'),
        nullable('data.error', 'string'),
      ]),
      refusal(404),
    ],
  },
  {
    name: 'list event types',
    source: 'vendor',
    method: 'GET',
    path: '/event-types',
    parameters: [key],
    answers: [
      success(200, [
        required('data.schemaVersion', 'integer', [1]),
        required('data.sources', 'list'),
        required('data.sources[].source', 'string'),
        required('data.sources[].events', 'list'),
        required('data.sources[].events[].type', 'string'),
        required('data.sources[].events[].description', 'string'),
        required('data.sources[].events[].surfaces.feed', 'boolean'),
        required('data.sources[].events[].surfaces.toast', 'boolean'),
        required('data.sources[].events[].surfaces.webhook', 'boolean'),
      ]),
      refusal(401),
    ],
  },
]

const deliveryOperations: readonly Operation[] = [
  {
    name: 'list deliveries',
    source: 'vendor',
    method: 'GET',
    path: '/webhooks/deliveries',
    parameters: [
      key,
      page,
      pageSize,
      {
        in: 'query',
        name: 'status',
        type: 'string',
        isRequired: false,
        note: '`pending`, `success`, `skipped`, `dead`',
      },
      since,
      eventId,
    ],
    answers: [
      success(200, [
        required('items', 'list'),
        ...deliveryFields('items[]'),
        required('items[].attempts', 'integer'),
        required('items[].endpointUrl', 'uri'),
        ...pagination,
      ]),
    ],
  },
  {
    name: 'count deliveries',
    source: 'vendor',
    method: 'GET',
    path: '/webhooks/deliveries/stats',
    parameters: [key, since],
    answers: [
      success(200, [
        required('data.total', 'integer'),
        ...deliveryStatuses.map((status) => required(`data.byStatus.${status}`, 'integer')),
        nullable('data.successRate', 'number'),
      ]),
    ],
  },
  {
    name: 'list deliveries of webhook',
    source: 'vendor',
    method: 'GET',
    path: '/webhooks/{id}/deliveries',
    parameters: [key, webhookId, page, pageSize, eventId],
    answers: [
      success(200, [
        required('items', 'list'),
        ...deliveryFields('items[]'),
        required('items[].attempts', 'integer'),
        ...pagination,
      ]),
      refusal(404),
    ],
  },
  {
    name: 'read delivery',
    source: 'vendor',
    method: 'GET',
    path: '/webhooks/{id}/deliveries/{deliveryId}',
    parameters: [
      key,
      webhookId,
      { in: 'path', name: 'deliveryId', type: 'string', isRequired: true },
    ],
    answers: [
      success(200, [
        ...deliveryFields('data'),
        required('data.attempts', 'list'),
        required('data.attempts[].attemptNo', 'integer'),
        required('data.attempts[].sentAt', 'time'),
        required('data.attempts[].signed', 'boolean'),
        required('data.attempts[].requestMethod', 'string'),
        required('data.attempts[].requestUrl', 'uri'),
        nullable('data.attempts[].requestHeaders', 'object'),
        nullable('data.attempts[].requestBody', 'string'),
        nullable('data.attempts[].responseStatus', 'integer'),
        nullable('data.attempts[].responseHeaders', 'object'),
        nullable('data.attempts[].responseSnippet', 'string'),
        nullable('data.attempts[].error', 'string'),
        nullable('data.attempts[].durationMs', 'number'),
      ]),
      refusal(404),
    ],
  },
]

/**
 * Mobilerun: the rotate page (seed 000), its other pages and its clients as of 5.2 (dialects.md,
 * section 1). Every call answers at the root, as the pages have it, and under `/v1`, as the clients.
 */
export const mobilerunContract: Contract = {
  dialect: 'mobilerun',
  title: 'Mobilerun',
  operations: [...webhookOperations, ...deliveryOperations],
}
