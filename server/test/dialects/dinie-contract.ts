import type {
  Contract,
  Field,
  FieldType,
  Operation,
  OperationAnswer,
  Parameter,
} from './contract.ts'

/** Its documents and its clients know the same calls, a little differently. */
export interface DinieVersion {
  /** What the names of its operations end in. */
  suffix: string
  prefix: string
  timeType: FieldType
  idempotencyHeader: string
  rotateVerb: string
}

export const documented: DinieVersion = {
  suffix: '',
  prefix: '',
  timeType: 'time',
  idempotencyHeader: 'Idempotency-Key',
  rotateVerb: 'secret/rotate',
}

export const asClientsDo: DinieVersion = {
  suffix: ', as the clients do',
  prefix: '/api/v3',
  timeType: 'integer',
  idempotencyHeader: 'X-Idempotency-Key',
  rotateVerb: 'rotate-secret',
}

const rateLimitHeaders = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset']

/** Behind `https://api.dinie.com.br/errors/`. */
const slugs: Readonly<Record<number, string>> = {
  400: 'invalid-request',
  401: 'authentication-failed',
  404: 'not-found',
  422: 'validation-failed',
  429: 'rate-limit-exceeded',
  500: 'internal',
}

const bearer: Parameter = {
  in: 'header',
  name: 'Authorization',
  type: 'string',
  isRequired: true,
  note: '`Bearer` and an access token',
}

const id: Parameter = {
  in: 'path',
  name: 'webhook_endpoint_id',
  type: 'string',
  isRequired: true,
  note: '`we_` and 32 hex digits',
}

function required(at: string, type: FieldType, oneOf?: Field['oneOf']): Field {
  return { at, type, isRequired: true, ...(oneOf === undefined ? {} : { oneOf }) }
}

function optional(at: string, type: FieldType, oneOf?: Field['oneOf']): Field {
  return { ...required(at, type, oneOf), isRequired: false }
}

function success(status: number, fields: readonly Field[]): OperationAnswer {
  return { status, contentType: 'application/json', fields, headers: rateLimitHeaders }
}

/** A problem document: the same nine fields for every status. */
function refusal(status: number): OperationAnswer {
  const codes = status === 401 ? ['missing_token', 'invalid_token', 'token_expired'] : undefined
  return {
    status,
    contentType: 'application/problem+json',
    fields: [
      required('type', 'uri', [`https://api.dinie.com.br/errors/${slugs[status]}`]),
      required('title', 'string'),
      required('status', 'integer', [status]),
      required('detail', 'string'),
      optional('instance', 'uri'),
      optional('code', 'string', codes),
      optional('param', 'string'),
      optional('errors', 'list'),
      required('errors[].param', 'string'),
      required('errors[].detail', 'string'),
      optional('errors[].code', 'string'),
    ],
    // Who is not known has no quota.
    headers: status === 401 ? ['www-authenticate'] : rateLimitHeaders,
  }
}

function endpointFields(timeType: FieldType, at = ''): Field[] {
  return [
    required(`${at}id`, 'string'),
    required(`${at}url`, 'uri'),
    required(`${at}events`, 'list'),
    required(`${at}events[]`, 'string'),
    { at: `${at}description`, type: 'string', isRequired: true, isNullable: true },
    required(`${at}status`, 'string', ['active', 'disabled']),
    required(`${at}created_at`, timeType),
    required(`${at}updated_at`, timeType),
  ]
}

const events: Parameter = {
  in: 'body',
  name: 'events',
  type: 'list',
  isRequired: false,
  note: 'with the wildcards `*` and `resource.*`; empty or omitted: all',
}
const description: Parameter = {
  in: 'body',
  name: 'description',
  type: 'string',
  isRequired: false,
  note: 'or null',
}

const getToken: Operation = {
  name: 'get access token',
  source: 'vendor',
  method: 'POST',
  path: '/auth/token',
  parameters: [
    {
      in: 'header',
      name: 'Authorization',
      type: 'string',
      isRequired: true,
      note: '`Basic`, client id and client secret',
    },
    {
      in: 'body',
      name: 'grant_type',
      type: 'string',
      isRequired: true,
      note: '`client_credentials`, in a form',
    },
  ],
  answers: [
    {
      status: 200,
      contentType: 'application/json',
      fields: [
        required('access_token', 'string'),
        required('token_type', 'string', ['bearer']),
        required('expires_in', 'integer', [3600]),
      ],
    },
    refusal(401),
  ],
}

function operationsOf(version: DinieVersion): Operation[] {
  return [...listOperations(version), ...oneOperations(version), rotate(version)].map(
    (operation) => ({
      ...operation,
      name: operation.name + version.suffix,
      path: version.prefix + operation.path,
    }),
  )
}

function listOperations({ timeType, idempotencyHeader }: DinieVersion): Operation[] {
  return [
    {
      name: 'create webhook endpoint',
      source: 'vendor',
      method: 'POST',
      path: '/webhooks/endpoints',
      parameters: [
        bearer,
        idempotencyKey(idempotencyHeader),
        { in: 'body', name: 'url', type: 'uri', isRequired: true, note: 'https' },
        events,
        description,
      ],
      answers: [
        success(201, [...endpointFields(timeType), required('secret', 'string')]),
        ...[400, 401, 422, 429, 500].map(refusal),
      ],
    },
    {
      name: 'list webhook endpoints',
      source: 'vendor',
      method: 'GET',
      path: '/webhooks/endpoints',
      parameters: [
        bearer,
        { in: 'query', name: 'limit', type: 'integer', isRequired: false, note: '1–100, 25' },
        { in: 'query', name: 'starting_after', type: 'string', isRequired: false, note: 'last id' },
      ],
      answers: [
        success(200, [
          optional('object', 'string', ['list']),
          required('data', 'list'),
          ...endpointFields(timeType, 'data[].'),
          required('has_more', 'boolean'),
        ]),
        ...[401, 429].map(refusal),
      ],
    },
  ]
}

function oneOperations({ timeType }: DinieVersion): Operation[] {
  const one = '/webhooks/endpoints/{webhook_endpoint_id}'
  return [
    {
      name: 'read webhook endpoint',
      source: 'vendor',
      method: 'GET',
      path: one,
      parameters: [bearer, id],
      answers: [success(200, endpointFields(timeType)), ...[401, 404].map(refusal)],
    },
    {
      name: 'change webhook endpoint',
      source: 'vendor',
      method: 'PATCH',
      path: one,
      parameters: [
        bearer,
        id,
        { in: 'body', name: 'url', type: 'uri', isRequired: false, note: 'https' },
        events,
        description,
        {
          in: 'body',
          name: 'status',
          type: 'string',
          isRequired: false,
          note: '`active` or `disabled`',
        },
      ],
      answers: [success(200, endpointFields(timeType)), ...[400, 401, 404, 422].map(refusal)],
    },
    {
      name: 'delete webhook endpoint',
      source: 'vendor',
      method: 'DELETE',
      path: one,
      parameters: [bearer, id],
      answers: [
        { status: 204, contentType: 'none', fields: [], headers: rateLimitHeaders },
        ...[401, 404].map(refusal),
      ],
    },
  ]
}

/** The seed, whole; its clients spell the path and the header otherwise. */
function rotate({ suffix, timeType, idempotencyHeader, rotateVerb }: DinieVersion): Operation {
  return {
    name: 'rotate secret',
    source: suffix === '' ? 'seed' : 'vendor',
    method: 'POST',
    path: `/webhooks/endpoints/{webhook_endpoint_id}/${rotateVerb}`,
    parameters: [
      bearer,
      id,
      idempotencyKey(idempotencyHeader),
      {
        in: 'body',
        name: 'expire_current_in',
        type: 'integer',
        isRequired: false,
        note: 'seconds until the current secret expires; default 3600, max 86400',
      },
    ],
    answers: [
      success(200, [
        required('id', 'string'),
        required('secret', 'string'),
        required('previous_secret_expires_at', timeType),
      ]),
      ...[400, 401, 404, 422, 429, 500].map(refusal),
    ],
  }
}

function idempotencyKey(name: string): Parameter {
  const note = 'kept for 24 hours'
  return { in: 'header', name, type: 'string', isRequired: false, note }
}

/**
 * Dinie: the rotate page (seed 004), version 2026-03-01, its other pages and its clients
 * (dialects.md, section 5). What the pages say is served at the root and under `/v3`, what the
 * clients do under `/api/v3`; both paths of rotate and both headers everywhere.
 */
export const dinieContract: Contract = {
  dialect: 'dinie',
  title: 'Dinie',
  operations: [getToken, ...operationsOf(documented), ...operationsOf(asClientsDo)],
}
