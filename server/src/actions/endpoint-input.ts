import { type FieldError, invalidFields } from '../core/errors.ts'
import { isEventFilter } from '../core/event-type.ts'
import { limits } from '../core/limits.ts'
import { type SecretAlgorithm, secretAlgorithms } from '../core/secret.ts'
import { formatNames, formatOf, formats } from '../formats/registry.ts'
import { algorithmProblem, readSecretText } from '../formats/secret-text.ts'
import type { UrlPolicy } from './action-context.ts'
import { uidProblem } from './project-uid.ts'

/** What a caller may say of an endpoint; everything but `url` has a default. */
export interface EndpointFields {
  url: string
  uid: string | null
  description: string | null
  eventTypes: string[]
  format: string
  algorithm: SecretAlgorithm
  secret: string
  headers: Record<string, string>
  metadata: Record<string, unknown>
  rateLimitPerSecond: number | null
  signingEnabled: boolean
  state: 'active' | 'disabled'
}

export const rateLimitPerSecondMax = 100_000

/** The formats that an endpoint may have. */
export const endpointFormats: readonly string[] = formatNames

/** Headers that belong to HTTP, to the sender or to a format, and so cannot be set by a caller. */
const senderHeaders = new Set([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'date',
  'user-agent',
  ...Object.values(formats).flatMap((format) => format.reservedHeaders),
])
/** Every header that begins like this belongs to a format, or to Standard Webhooks' namesakes. */
const formatPrefixes = [
  'webhook-',
  'svix-',
  'x-composio-',
  'x-h-webhook-',
  'x-devtune-',
  'x-hub-',
  'x-github-',
]
const headerNamePattern = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/
const headerValuePattern = /^[\t\x20-\x7e]*$/

/**
 * Every rule of an endpoint's fields that a type cannot say, all at once, with the native API's
 * field names. Fields that are absent are not looked at. `format` is the one the endpoint will
 * have, as the shape of `secret` depends on it.
 */
export function endpointProblems(
  fields: Partial<EndpointFields>,
  urlPolicy: UrlPolicy,
  format = fields.format ?? 'standard',
): FieldError[] {
  const problems: FieldError[] = []
  const report = (param: string, detail: string | null, code = 'invalid_value') => {
    if (detail !== null) problems.push({ param, detail, code })
  }
  if (fields.url !== undefined) report('url', urlProblem(fields.url, urlPolicy), 'url_refused')
  if (fields.uid !== undefined && fields.uid !== null) report('uid', uidProblem(fields.uid))
  fields.eventTypes?.forEach((filter, index) => {
    if (!isEventFilter(filter)) {
      report(
        `event_types.${index}`,
        'Must be an exact type such as `order.paid`, a prefix such as `order.*`, or `*`.',
      )
    }
  })
  if (fields.format !== undefined && !formatNames.includes(fields.format)) {
    report('format', `Must be one of: ${formatNames.join(', ')}.`)
  }
  // Beside a format that does not exist, the secret is read as the default format would.
  const known = formatOf(formatNames.includes(format) ? format : 'standard')
  const { algorithm = 'hmac-sha256', secret } = fields
  if (!known.algorithms.includes(algorithm)) {
    report('algorithm', algorithmProblem(known), 'algorithm_not_in_format')
  } else if (secret !== undefined) {
    const read = readSecretText(known, algorithm, secret)
    if ('problem' in read) report('secret', read.problem)
  }
  if (fields.headers !== undefined) problems.push(...headerProblems(fields.headers))
  if (fields.metadata !== undefined) report('metadata', metadataProblem(fields.metadata))
  return problems
}

/**
 * The same for the raw body of a request whose schema check has failed: looks only at the members
 * that have the right type, so that every field at fault is reported at once.
 */
export function checkEndpointInput(body: unknown, urlPolicy: UrlPolicy): FieldError[] {
  if (typeof body !== 'object' || body === null) return []
  const raw = body as Record<string, unknown>
  const fields: Partial<EndpointFields> = {}
  if (typeof raw.url === 'string') fields.url = raw.url
  if (typeof raw.uid === 'string') fields.uid = raw.uid
  // An element of another type is the schema's finding; here it only keeps the others' places.
  if (Array.isArray(raw.event_types)) {
    fields.eventTypes = raw.event_types.map((item) => (typeof item === 'string' ? item : '*'))
  }
  if (typeof raw.format === 'string') fields.format = raw.format
  if (typeof raw.secret === 'string') fields.secret = raw.secret
  if (secretAlgorithms.some((each) => each === raw.algorithm)) {
    fields.algorithm = raw.algorithm as SecretAlgorithm
  }
  if (isObject(raw.headers)) {
    fields.headers = Object.fromEntries(
      Object.entries(raw.headers).filter((entry): entry is [string, string] => {
        return typeof entry[1] === 'string'
      }),
    )
  }
  if (isObject(raw.metadata)) fields.metadata = raw.metadata
  return endpointProblems(fields, urlPolicy)
}

/** Throws every problem at once, the refused address included (which takes a lookup). */
export async function refuseBadEndpoint(
  fields: Partial<EndpointFields>,
  urlPolicy: UrlPolicy,
  format?: string,
): Promise<void> {
  const problems = endpointProblems(fields, urlPolicy, format)
  const isUrlFine = !problems.some((problem) => problem.param === 'url')
  if (fields.url !== undefined && isUrlFine) {
    const detail = await urlPolicy.addressProblemOf(fields.url)
    if (detail !== null) problems.push({ param: 'url', detail, code: 'address_refused' })
  }
  if (problems.length > 0) throw invalidFields(problems)
}

export function isKnownAlgorithm(text: string): text is SecretAlgorithm {
  return (secretAlgorithms as readonly string[]).includes(text)
}

export function metadataProblem(metadata: Record<string, unknown>): string | null {
  const bytes = Buffer.byteLength(JSON.stringify(metadata))
  return bytes > limits.metadataBytesMax
    ? `Must take at most ${limits.metadataBytesMax} bytes as JSON, not ${bytes}.`
    : null
}

function urlProblem(url: string, urlPolicy: UrlPolicy): string | null {
  if (url.length > limits.urlLengthMax) {
    return `Must be at most ${limits.urlLengthMax} characters long.`
  }
  return urlPolicy.problemOf(url)
}

function headerProblems(headers: Record<string, string>): FieldError[] {
  const problems: FieldError[] = []
  const report = (name: string, detail: string) =>
    problems.push({ param: `headers.${name.slice(0, 64)}`, detail, code: 'invalid_value' })
  const names = Object.keys(headers)
  if (names.length > limits.endpointHeadersMax) {
    problems.push({
      param: 'headers',
      detail: `At most ${limits.endpointHeadersMax} headers, not ${names.length}.`,
      code: 'too_many',
    })
  }
  const seen = new Set<string>()
  for (const name of names.slice(0, limits.pageSizeMax)) {
    const lower = name.toLowerCase()
    const value = headers[name] ?? ''
    if (!headerNamePattern.test(name) || name.length > limits.headerNameLengthMax) {
      report(name, 'The name is not a valid HTTP header name.')
    } else if (isSenders(lower)) {
      report(name, 'This header is set by the server itself and cannot be overridden.')
    } else if (seen.has(lower)) {
      report(name, 'The same header stands here twice.')
    } else if (!headerValuePattern.test(value) || value.length > limits.headerValueLengthMax) {
      report(
        name,
        `The value may hold printable ASCII only, at most ${limits.headerValueLengthMax} characters.`,
      )
    }
    seen.add(lower)
  }
  return problems
}

function isSenders(lowerName: string): boolean {
  return (
    senderHeaders.has(lowerName) || formatPrefixes.some((prefix) => lowerName.startsWith(prefix))
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
