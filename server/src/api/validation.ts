import {
  Ajv2020,
  type AnySchemaObject,
  type ErrorObject,
  type ValidateFunction,
} from 'ajv/dist/2020.js'
import type { TObject, TSchema } from 'typebox'
import type { FieldError } from '../core/errors.ts'
import { apiLimits } from './api-limits.ts'
import { componentsPath } from './wire/fields.ts'
import { parseTime } from './wire/time.ts'

/** Says what is wrong with a value: every field at fault, up to a bound; none where all is well. */
export type Check = (value: unknown) => FieldError[]

export interface SchemaCompiler {
  /** For JSON bodies: nothing is converted, removed or filled in. */
  forBody(schema: TSchema): Check
  /**
   * For query parameters: plain decimal texts become the whole numbers that the schema asks for, in
   * place. `1e1`, `0x10`, `+5` and `05` stay texts, and so are refused.
   */
  forQuery(schema: TObject): Check
}

/**
 * Compiles schemas, which may refer to the named components, each when it is first used: there are
 * hundreds, and a server that starts anew needs few of them.
 */
export function createSchemaCompiler(
  components: Readonly<Record<string, TSchema>>,
): SchemaCompiler {
  const ajv = createAjv(components)
  return {
    forBody: (schema) => compile(ajv, schema),
    forQuery(schema) {
      const check = compile(ajv, schema)
      const names = Object.keys(schema.properties).filter((name) => isInteger(schema, name))
      return (query) => {
        readIntegers(query as Record<string, unknown>, names)
        return check(query)
      }
    },
  }
}

/**
 * A later check adds what it found in fields that an earlier one had nothing against. Below a value
 * of the wrong type there are no fields; below one with, say, too many items there are.
 */
export function mergeFieldErrors(
  first: readonly FieldError[],
  second: readonly FieldError[],
): FieldError[] {
  const atFault = new Set(first.map(({ param }) => param))
  const notContainers = first.filter(({ code }) => code === 'wrong_type')
  const isNew = ({ param }: FieldError) =>
    !atFault.has(param) && !notContainers.some((other) => param.startsWith(`${other.param}.`))
  return [...first, ...second.filter(isNew)].slice(0, apiLimits.fieldErrorsMax)
}

const documentId = 'openapi.json'

function createAjv(components: Readonly<Record<string, TSchema>>): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: true,
    allowUnionTypes: true,
    messages: false,
    keywords: ['components'],
    // Ours are right at any start if they were in the tests; the schema of schemas takes long.
    meta: false,
    validateSchema: false,
  })
  ajv.addFormat('date-time', (text: string) => parseTime(text) !== null)
  // Under the same path as in the OpenAPI document, so that the same references hold.
  const schemas = Object.fromEntries(
    Object.entries(components).map(([name, schema]) => [name, withoutId(schema)]),
  )
  ajv.addSchema({ $id: documentId, components: { schemas } })
  return ajv
}

function compile(ajv: Ajv2020, schema: TSchema): Check {
  let validate: ValidateFunction | null = null
  return (value) => {
    validate ??= ajv.compile(withAbsoluteRefs(withoutId(schema)))
    if (validate(value)) return []
    const seen = new Set<string>()
    const problems: FieldError[] = []
    for (const error of validate.errors ?? []) {
      const problem = fieldErrorOf(error)
      // One sentence per field: the first says what matters.
      if (seen.has(problem.param)) continue
      if (seen.size === apiLimits.fieldErrorsMax) break
      seen.add(problem.param)
      problems.push(problem)
    }
    return problems
  }
}

function isInteger({ properties }: TObject, name: string): boolean {
  return (properties[name] as { type?: unknown }).type === 'integer'
}

function readIntegers(query: Record<string, unknown>, names: readonly string[]): void {
  for (const name of names) {
    const text = query[name]
    if (typeof text === 'string' && decimalPattern.test(text)) query[name] = Number(text)
  }
}

const decimalPattern = /^(?:0|-?[1-9][0-9]*)$/

function withoutId(schema: TSchema): AnySchemaObject {
  const { $id: _, ...rest } = schema as AnySchemaObject
  return rest
}

function withAbsoluteRefs(schema: AnySchemaObject): AnySchemaObject {
  const prefix = `"$ref":"${componentsPath}`
  const text = JSON.stringify(schema)
  return JSON.parse(text.replaceAll(prefix, `"$ref":"${documentId}${componentsPath}`))
}

function fieldErrorOf(error: ErrorObject): FieldError {
  const path = error.instancePath.split('/').slice(1).map(unescapePointer)
  const { params } = error
  if (error.keyword === 'required') {
    return problem([...path, params.missingProperty], 'Is required.', 'missing')
  }
  if (error.keyword === 'additionalProperties') {
    return problem([...path, params.additionalProperty], 'There is no such field.', 'unknown_field')
  }
  const [detail, code] = rightValue(error)
  return problem(path, detail, code)
}

/** What would be right, and the code for what is not. */
function rightValue({ keyword, params }: ErrorObject): [detail: string, code: string] {
  switch (keyword) {
    case 'type':
      return [`Must be ${typeNames(params.type)}.`, 'wrong_type']
    case 'enum':
      return [`Must be ${oneOfText(params.allowedValues)}.`, 'invalid_value']
    case 'minimum':
      return [`Must be at least ${params.limit}.`, 'out_of_range']
    case 'maximum':
      return [`Must be at most ${params.limit}.`, 'out_of_range']
    case 'minLength':
      return [`Must have at least ${params.limit} characters.`, 'too_short']
    case 'maxLength':
      return [`Must have at most ${params.limit} characters.`, 'too_long']
    case 'minItems':
      return [`Must have at least ${params.limit} items.`, 'too_few']
    case 'maxItems':
      return [`Must have at most ${params.limit} items.`, 'too_many']
    case 'minProperties':
      return ['Must have at least one of its fields.', 'missing']
    case 'format':
      return ['Must be an RFC 3339 time such as 2026-11-01T10:00:00Z.', 'invalid_format']
    default:
      return ['Is not right; see the reference at /docs.', 'invalid_value']
  }
}

const typeTexts: Readonly<Record<string, string>> = {
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
  null: 'null',
}

function typeNames(types: string | string[]): string {
  return [types]
    .flat()
    .map((type) => typeTexts[type] ?? type)
    .join(' or ')
}

function oneOfText(values: readonly unknown[]): string {
  const texts = values.map(String)
  return texts.length === 1 ? (texts[0] ?? '') : `one of: ${texts.join(', ')}`
}

function problem(path: readonly string[], detail: string, code: string): FieldError {
  const place = path.map((part) => part.slice(0, apiLimits.quotedNameLengthMax)).join('.')
  // What is wrong with the whole has no path.
  const param = path.length === 0 ? 'body' : place
  return { param, detail, code }
}

function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~')
}
