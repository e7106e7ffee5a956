import type { Contract, Field, Operation, OperationAnswer, Parameter } from './contract.ts'

/** Every call takes the key in this header. */
const key: Parameter = {
  in: 'header',
  name: 'authorization',
  type: 'string',
  isRequired: true,
  note: '`Bearer` and a key `hk-…`',
}

const webhookId: Parameter = { in: 'path', name: 'webhook_id', type: 'uuid', isRequired: true }

function required(at: string, type: Field['type']): Field {
  return { at, type, isRequired: true }
}

function nullable(at: string, type: Field['type'], oneOf?: Field['oneOf']): Field {
  const field: Field = { at, type, isRequired: true, isNullable: true }
  return oneOf === undefined ? field : { ...field, oneOf }
}

/** What the rotate page shows of a webhook; `at` is empty or ends with a dot. */
function webhookFields(at: string): Field[] {
  return [
    required(`${at}id`, 'uuid'),
    required(`${at}url`, 'string'),
    required(`${at}enabled_events`, 'list'),
    required(`${at}enabled_events[]`, 'string'),
    nullable(`${at}description`, 'string'),
    required(`${at}disabled`, 'boolean'),
    required(`${at}created_at`, 'time'),
    required(`${at}updated_at`, 'time'),
  ]
}

/** As later clients know it. */
function laterWebhookFields(at: string): Field[] {
  return [
    ...webhookFields(at),
    nullable(`${at}last_delivery_status`, 'string', ['succeeded', 'failed']),
    nullable(`${at}last_delivery_error`, 'string'),
    nullable(`${at}last_delivery_at`, 'time'),
    nullable(`${at}last_success_at`, 'time'),
    required(`${at}consecutive_failures`, 'integer'),
  ]
}

const secret = required('secret', 'string')

function success(status: number, fields: readonly Field[]): OperationAnswer {
  return { status, contentType: 'application/json', fields }
}

/** Its body is documented nowhere; every refusal but that of fields is a text here. */
function refusal(status: number): OperationAnswer {
  return { status, contentType: 'application/json', fields: [required('detail', 'string')] }
}

/** Fields at fault. `input`, what was sent, is optional there, and left out here. */
const fieldsRefused: OperationAnswer = {
  status: 422,
  contentType: 'application/json',
  fields: [
    required('detail', 'list'),
    required('detail[].loc', 'list'),
    required('detail[].msg', 'string'),
    required('detail[].type', 'string'),
    { at: 'detail[].ctx', type: 'object', isRequired: false },
  ],
}

/** The authentication page says of every call: no or a wrong key is 401, no permission 403. */
const keyRefused: readonly OperationAnswer[] = [refusal(401), refusal(403)]

const collectionOperations: readonly Operation[] = [
  {
    name: 'create webhook',
    source: 'vendor',
    method: 'POST',
    path: '/api/v2/webhooks',
    parameters: [
      key,
      {
        in: 'body',
        name: 'url',
        type: 'uri',
        isRequired: true,
        note: '1–2048 characters, https, public',
      },
      {
        in: 'body',
        name: 'enabled_events',
        type: 'list',
        isRequired: false,
        note: 'not empty, known types; omitted: `["*"]`',
      },
      {
        in: 'body',
        name: 'description',
        type: 'string',
        isRequired: false,
        note: 'max 255, or null',
      },
    ],
    answers: [
      success(201, [...laterWebhookFields(''), secret]),
      refusal(400),
      ...keyRefused,
      fieldsRefused,
    ],
  },
  {
    name: 'list webhooks',
    source: 'vendor',
    method: 'GET',
    path: '/api/v2/webhooks',
    parameters: [
      key,
      { in: 'query', name: 'page', type: 'integer', isRequired: false, note: 'from 1' },
      {
        in: 'query',
        name: 'size',
        type: 'integer',
        isRequired: false,
        note: '1–1000, 10 where omitted',
      },
      {
        in: 'query',
        name: 'sort',
        type: 'list',
        isRequired: false,
        note: '`created_at`, `-created_at`; omitted: `-created_at`',
      },
    ],
    answers: [
      success(200, [
        required('items', 'list'),
        ...laterWebhookFields('items[].'),
        required('total', 'integer'),
        required('page', 'integer'),
      ]),
      ...keyRefused,
      fieldsRefused,
    ],
  },
  {
    name: 'list event types',
    source: 'vendor',
    method: 'GET',
    path: '/api/v2/webhooks/events',
    parameters: [key],
    answers: [
      success(200, [required('[].type', 'string'), required('[].description', 'string')]),
      ...keyRefused,
    ],
  },
]

const webhookOperations: readonly Operation[] = [
  {
    name: 'read webhook',
    source: 'vendor',
    method: 'GET',
    path: '/api/v2/webhooks/{webhook_id}',
    parameters: [key, webhookId],
    answers: [success(200, laterWebhookFields('')), ...keyRefused, refusal(404), fieldsRefused],
  },
  {
    name: 'change webhook',
    source: 'vendor',
    method: 'PATCH',
    path: '/api/v2/webhooks/{webhook_id}',
    parameters: [
      key,
      webhookId,
      { in: 'body', name: 'url', type: 'uri', isRequired: false, note: 'null: unchanged' },
      {
        in: 'body',
        name: 'enabled_events',
        type: 'list',
        isRequired: false,
        note: 'null: unchanged',
      },
      { in: 'body', name: 'description', type: 'string', isRequired: false, note: 'or null' },
      {
        in: 'body',
        name: 'disabled',
        type: 'boolean',
        isRequired: false,
        note: 'null: unchanged; false also sets `consecutive_failures` to 0',
      },
    ],
    answers: [success(200, laterWebhookFields('')), ...keyRefused, refusal(404), fieldsRefused],
  },
  {
    name: 'delete webhook',
    source: 'vendor',
    method: 'DELETE',
    path: '/api/v2/webhooks/{webhook_id}',
    parameters: [key, webhookId],
    answers: [{ status: 204, contentType: 'none', fields: [] }, ...keyRefused, refusal(404)],
  },
  {
    name: 'rotate secret',
    source: 'seed',
    method: 'POST',
    path: '/api/v2/webhooks/{webhook_id}/rotate',
    parameters: [key, webhookId],
    answers: [success(200, [...webhookFields(''), secret]), refusal(404)],
  },
  {
    name: 'ping webhook',
    source: 'vendor',
    method: 'POST',
    path: '/api/v2/webhooks/{webhook_id}/ping',
    parameters: [key, webhookId],
    answers: [
      success(200, [required('response_status', 'integer')]),
      refusal(400),
      ...keyRefused,
      refusal(404),
      refusal(502),
    ],
  },
]

/**
 * H Company: the rotate page (seed 002), its other pages, its OpenAPI text and its clients as of
 * 1.0.12 (dialects.md, section 3).
 */
export const hCompanyContract: Contract = {
  dialect: 'h-company',
  title: 'H Company',
  operations: [...collectionOperations, ...webhookOperations],
}
