import assert from 'node:assert/strict'
import { toCamelCaseName } from '../sdk/src/camel-case.ts'

/** The part of OpenAPI and JSON Schema that the document of the native API uses. */
type Schema = Readonly<Record<string, unknown>>
type Parameter = { name?: string; in?: string; description?: string; schema?: Schema }
type Operation = {
  operationId?: string
  parameters?: Parameter[]
  requestBody?: object
  responses?: object
}
export interface ApiDocument {
  paths: Record<string, Record<string, object>>
  components: { schemas: Record<string, object> }
}

/** Where a type stands: what callers pass may be looser than what they get. */
type Place = { isInput: boolean; indent: string; fieldNames: ReadonlySet<string> }

/**
 * The text of `sdk/src/api-types.ts`: an interface in camelCase for each named schema of the OpenAPI document, one
 * for the query of each operation that takes one (`listEvents` → `ListEventsQuery`), and `Answers`, which has what each
 * operation answers where it succeeds, pages left out.
 *
 * @throws AssertionError for a schema that says something for which no type is known here: a type that is silently too
 *   wide would be worse than none.
 */
export function sdkTypes(document: ApiDocument): string {
  const operations = Object.values(document.paths).flatMap(
    (methods) => Object.values(methods) as Operation[],
  )
  const schemas = document.components.schemas as Record<string, Schema>
  const [inputs, outputs] = (['requestBody', 'responses'] as const).map((part) =>
    namesReached(
      operations.map((operation) => operation[part] ?? {}),
      schemas,
    ),
  ) as [Set<string>, Set<string>]
  const fieldNames = fieldNamesIn(schemas)
  const named = Object.entries(schemas).map(([name, schema]) => {
    const isInput = inputs.has(name)
    const isBoth = isInput && outputs.has(name)
    assert.ok(!(isBoth && hasTime(schema)), `${name} is sent and answered: is its time a Date?`)
    const description = schema.description ?? roleOf(name, operations, schemas)
    return declaration(name, { ...schema, description }, { isInput, indent: '', fieldNames })
  })
  const queries = operations.flatMap((operation) =>
    queryOf(operation, { isInput: true, indent: '', fieldNames }),
  )
  const note = [
    '/*',
    ' * What the native API takes and answers, in camelCase. Made by `npm run docs` from the schemas of the',
    ' * routes, as docs/openapi.json is: change those. `resources.ts` says what of it is public.',
    ' */',
  ]
  return `${[note.join('\n'), ...named, ...queries, answersOf(operations, fieldNames)].join('\n\n')}\n`
}

/** The schemas that values of these kinds are made of, by name. */
function namesReached(roots: unknown, schemas: Record<string, Schema>): Set<string> {
  const reached = new Set<string>()
  const visit = (root: unknown): void => {
    for (const [, name = ''] of JSON.stringify(root).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (reached.has(name)) continue
      reached.add(name)
      visit(schemas[name])
    }
  }
  visit(roots)
  return reached
}

/** The names of all members, as they are on the wire. */
function fieldNamesIn(value: unknown): Set<string> {
  const names = new Set<string>()
  JSON.stringify(value, (key, inner) => {
    if (key === 'properties') for (const name of Object.keys(inner)) names.add(name)
    return inner
  })
  return names
}

function hasTime(schema: Schema): boolean {
  return JSON.stringify(schema).includes('"format":"date-time"')
}

/** A sentence for a schema that has none of its own. */
function roleOf(
  name: string,
  operations: readonly Operation[],
  schemas: Record<string, Schema>,
): string | undefined {
  const mentions = (part: object | undefined) =>
    JSON.stringify(part ?? {}).includes(`"#/components/schemas/${name}"`)
  for (const { operationId, requestBody, responses } of operations) {
    if (mentions(requestBody)) return `What \`${operationId}\` takes.`
    if (mentions(responses)) return `What \`${operationId}\` answers.`
  }
  const [whole] = Object.entries(schemas).find(([, schema]) => mentions(schema)) ?? []
  return whole === undefined ? undefined : `A part of \`${whole}\`.`
}

function queryOf({ operationId = '', parameters = [] }: Operation, place: Place): string[] {
  const inQuery = parameters.filter((parameter) => parameter.in === 'query')
  if (inQuery.length === 0) return []
  const properties = Object.fromEntries(
    inQuery.map(({ name = '', description, schema }) => [name, { ...schema, description }]),
  )
  const name = `${operationId.charAt(0).toUpperCase()}${operationId.slice(1)}Query`
  const description = `What \`${operationId}\` is asked with.`
  const query = { type: 'object', description, properties, additionalProperties: false }
  return [declaration(name, query, place)]
}

type Response = { content?: Record<string, { schema: Schema }> }

function answersOf(operations: readonly Operation[], fieldNames: ReadonlySet<string>): string {
  const place = { isInput: false, indent: '  ', fieldNames }
  const members = operations.flatMap(({ operationId, responses = {} }) => {
    const types = Object.entries(responses as Record<string, Response>)
      .filter(([status]) => status.startsWith('2'))
      // A page is for people.
      .filter(([, { content }]) => content?.['text/html'] === undefined)
      .map(([, { content }]) => contentType(content, place))
    return types.length === 0 ? [] : [`  ${operationId}: ${union([...new Set(types)], place)}`]
  })
  return `/** What each operation answers where it succeeds. */\nexport interface Answers {\n${members.join('\n')}\n}`
}

function contentType(content: Response['content'], place: Place): string {
  const [[type, { schema }] = ['', { schema: {} }]] = Object.entries(content ?? {})
  if (type === '') return 'void'
  if (type !== 'application/json') return 'string'
  return Object.keys(schema).length === 0 ? 'unknown' : typeOf(schema, place)
}

function declaration(name: string, schema: Schema, place: Place): string {
  const type = typeOf(schema, place)
  const head = type.startsWith('{') ? `export interface ${name}` : `export type ${name} =`
  return `${comment(schema, place)}${head} ${type}`
}

/** What narrows a value without changing its type; the server checks it. */
const silent = new Set([
  ...['description', 'default', 'format', 'pattern', 'minLength', 'maxLength', 'minimum'],
  ...['maximum', 'minItems', 'maxItems', 'minProperties'],
])
/** What a type is made of. */
const spoken = new Set([
  ...['type', 'properties', 'required', 'additionalProperties', 'items', 'enum', 'const'],
  ...['anyOf', '$ref'],
])

function typeOf(schema: Schema, place: Place): string {
  for (const keyword of Object.keys(schema)) {
    assert.ok(silent.has(keyword) || spoken.has(keyword), `no type is known for "${keyword}"`)
  }
  if (typeof schema.$ref === 'string') {
    const name = /^#\/components\/schemas\/(\w+)$/.exec(schema.$ref)?.[1]
    assert.ok(name, `no type is known for ${schema.$ref}`)
    return name
  }
  if (Array.isArray(schema.anyOf)) {
    return union(
      schema.anyOf.map((one) => typeOf(one, place)),
      place,
    )
  }
  if (Array.isArray(schema.enum)) return union(schema.enum.map(literal), place)
  if ('const' in schema) return literal(schema.const)
  return union(
    [schema.type].flat().map((type) => plainType(type, schema, place)),
    place,
  )
}

function plainType(type: unknown, schema: Schema, place: Place): string {
  switch (type) {
    case 'null':
    case 'boolean':
    case 'number':
      return type
    case 'integer':
      return 'number'
    case 'string':
      return place.isInput && schema.format === 'date-time' ? 'string | Date' : 'string'
    case 'array': {
      const item = typeOf(schema.items as Schema, place)
      return `${place.isInput ? 'readonly ' : ''}${item.includes('|') ? `(${item})` : item}[]`
    }
    case 'object':
      return objectType(schema, place)
    default:
      assert.fail(`no type is known for the type ${JSON.stringify(type)}`)
  }
}

function objectType(schema: Schema, place: Place): string {
  const { isInput, indent } = place
  const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>)
  const { additionalProperties: rest = true } = schema
  const inner = { ...place, indent: `${indent}  ` }
  if (properties.length === 0) {
    if (rest === false) return 'Record<string, never>'
    return `Record<string, ${rest === true ? 'unknown' : typeOf(rest as Schema, inner)}>`
  }
  const required = (schema.required ?? []) as string[]
  const members = properties.map(([name, member]) => {
    const isOptional = !required.includes(name)
    const key = `${toCamelCaseName(name)}${isOptional ? '?' : ''}`
    // Callers may pass `undefined` for what may be left out; it is dropped when sent.
    const absent = isOptional && isInput ? ' | undefined' : ''
    return `${comment(member, inner)}${inner.indent}${key}: ${typeOf(member, inner)}${absent}`
  })
  // Beside members an index signature has to hold for them too, which only `unknown` does.
  assert.equal(typeof rest, 'boolean', 'no type is known for further members of one type')
  const further = rest === true ? [`${inner.indent}[name: string]: unknown`] : []
  return `{\n${[...members, ...further].join('\n')}\n${indent}}`
}

const unionLengthMax = 80

function union(types: readonly string[], { indent }: Place): string {
  const line = types.join(' | ')
  if (line.length <= unionLengthMax || line.includes('\n')) return line
  return types.map((type) => `\n${indent}  | ${type}`).join('')
}

function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value)
}

function comment({ description, default: standard }: Schema, place: Place): string {
  const sentences = [
    ...(typeof description === 'string' ? [description] : []),
    ...(standard === undefined ? [] : [`Default: ${JSON.stringify(standard)}.`]),
  ]
  if (sentences.length === 0) return ''
  // The sentences name fields as the wire does; who reads them in the SDK knows the fields in camelCase.
  const text = sentences
    .join(' ')
    .replaceAll(/(?<=`)\w+(?=`)/g, (name) =>
      place.fieldNames.has(name) ? toCamelCaseName(name) : name,
    )
  return `${place.indent}/** ${text} */\n`
}
