import { parentPort } from 'node:worker_threads'
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { FieldError } from './core/errors.ts'
import type { SchemaAnswer, SchemaQuestion } from './event-schema-messages.ts'

/**
 * Holds data against schemas, both written by customers: either can be made so that a check takes
 * for ever. Here that costs a thread, which its parent ends, and not the server.
 */
const fieldErrorsMax = 20
const sentenceLengthMax = 300

const options = { allErrors: true, strict: false, validateFormats: false, logger: false } as const

/** Whether a schema is one is asked of one Ajv for all: compiling the meta-schema costs 15 ms. */
const newest = { names: /2020-12/, Checker: Ajv2020, metaSchemas: new Ajv2020(options) }
const dialects = [
  newest,
  { names: /2019-09/, Checker: Ajv2019, metaSchemas: new Ajv2019(options) },
  { names: /draft-0[67]/, Checker: Ajv, metaSchemas: new Ajv(options) },
]

/** What was compiled, or why it could not be; as many as the parent gives numbers to. */
const known = new Map<number, ValidateFunction | string>()

parentPort?.on('message', (question: SchemaQuestion) => {
  parentPort?.postMessage(answer(question))
})
// Before the first question, so that it does not pay for what all of them use.
compile('{}')
parentPort?.postMessage({ kind: 'ready' } satisfies SchemaAnswer)

function answer({ schema, data }: SchemaQuestion): SchemaAnswer {
  if (schema.text !== undefined) known.set(schema.number, compile(schema.text))
  const validate = known.get(schema.number) ?? 'The schema is not known here.'
  if (typeof validate === 'string') return { kind: 'unusable', problem: validate }
  if (data === undefined || validate(JSON.parse(data))) return { kind: 'checked', errors: [] }
  const errors = (validate.errors ?? []).slice(0, fieldErrorsMax)
  return { kind: 'checked', errors: errors.map(fieldErrorOf) }
}

function compile(text: string): ValidateFunction | string {
  try {
    const schema: unknown = JSON.parse(text)
    if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
      return 'Must be a JSON Schema: an object.'
    }
    const { $schema: dialect = '' } = schema as { $schema?: unknown }
    const dialectOf = dialects.find(({ names }) => names.test(String(dialect))) ?? newest
    const { Checker, metaSchemas } = dialectOf
    if (!metaSchemas.validateSchema(schema)) {
      return `Is not a usable JSON Schema: ${sentenceOf(metaSchemas.errorsText())}`
    }
    // One for each schema, so that one customer's `$id` is never found by another's `$ref`.
    const validate = new Checker({ ...options, validateSchema: false }).compile(schema)
    // Asynchronous schemas would answer with promises, which nobody waits for.
    if ('$async' in validate) return 'Must not be asynchronous ($async).'
    return validate
  } catch (error) {
    return `Is not a usable JSON Schema: ${sentenceOf((error as Error).message)}`
  }
}

function fieldErrorOf({ instancePath, keyword, params, message }: ErrorObject): FieldError {
  const path = instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  if (keyword === 'required') path.push(String(params.missingProperty))
  if (keyword === 'additionalProperties') path.push(String(params.additionalProperty))
  return {
    param: ['data', ...path].join('.').slice(0, sentenceLengthMax),
    detail: sentenceOf(message ?? 'does not fit the schema'),
    code: 'schema_mismatch',
  }
}

function sentenceOf(message: string): string {
  const text = message.slice(0, sentenceLengthMax)
  return `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, '')}.`
}
