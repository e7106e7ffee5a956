import assert from 'node:assert/strict'
import { test } from 'node:test'

/**
 * What the documents of a system say of its API, as data: facts, in our own words. Each fact is one
 * row of `docs/dialects/README.md` and has one test; a fact without a test fails the build.
 */
export interface Contract {
  /** As in `core/dialect.ts`. */
  dialect: string
  /** For people. */
  title: string
  operations: readonly Operation[]
}

export interface Operation {
  /** Unique within the contract: `rotate secret`. */
  name: string
  /** `seed`: one of the five documents that the project began with. `vendor`: other pages of the system. */
  source: 'seed' | 'vendor'
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** With `{id}` and the like. */
  path: string
  parameters: readonly Parameter[]
  answers: readonly OperationAnswer[]
}

export interface Parameter {
  in: 'path' | 'query' | 'header' | 'body'
  name: string
  type: FieldType
  isRequired: boolean
  /** In a few words, where the type does not say it: `max 86400`. */
  note?: string
}

export interface OperationAnswer {
  status: number
  /** `none`: no body. */
  contentType: 'application/json' | 'application/problem+json' | 'none'
  fields: readonly Field[]
  /** Lower-case names of headers that it carries. */
  headers?: readonly string[]
}

export interface Field {
  /** Dotted; `[]` for the items of a list: `items[].id`; `[]` alone for those of a bare list. */
  at: string
  type: FieldType
  isRequired: boolean
  isNullable?: boolean
  oneOf?: readonly (string | number)[]
}

export type FieldType =
  | 'string'
  | 'uuid'
  | 'uri'
  | 'time'
  | 'number'
  | 'integer'
  | 'boolean'
  | 'object'
  | 'list'

/** An answer as a client sees it. */
export interface SeenAnswer {
  status: number
  headers: Readonly<Record<string, unknown>>
  text: string
}

/** What provokes each answer, and shows that each parameter counts. */
export interface Scenarios<World> {
  /** `<operation> → <status>`: makes the call; the answer is held against the contract. */
  answers: Readonly<Record<string, (world: World) => Promise<SeenAnswer>>>
  /** `<operation> ← <in> <name>`: asserts by itself what the parameter does. */
  parameters: Readonly<Record<string, (world: World) => Promise<void>>>
}

/** The key of an answer's scenario, and the name of its test. */
export function answerKey(operation: Operation, answer: OperationAnswer): string {
  return `${operation.name} → ${answer.status}`
}

/** The key of a parameter's scenario, and the name of its test. */
export function parameterKey(operation: Operation, parameter: Parameter): string {
  return `${operation.name} ← ${parameter.in} ${parameter.name}`
}

/** One test for every answer and every parameter of the contract, and one that none is missing. */
export function testContract<World extends AsyncDisposable>(
  contract: Contract,
  createWorld: () => Promise<World>,
  scenarios: Scenarios<World>,
): void {
  const { dialect, operations } = contract
  test(`${dialect}: every fact of the documents has a test, and every test a fact`, () => {
    const answers = operations.flatMap((each) => each.answers.map((row) => answerKey(each, row)))
    const parameters = operations.flatMap((each) =>
      each.parameters.map((row) => parameterKey(each, row)),
    )
    assert.deepEqual(Object.keys(scenarios.answers).sort(), answers.sort())
    assert.deepEqual(Object.keys(scenarios.parameters).sort(), parameters.sort())
  })
  for (const operation of operations) {
    for (const answer of operation.answers) {
      const key = answerKey(operation, answer)
      test(`${dialect}: ${key}`, async () => {
        await using world = await createWorld()
        const run = scenarios.answers[key]
        assert.ok(run, `There is no scenario "${key}".`)
        holdAgainst(answer, await run(world))
      })
    }
    for (const parameter of operation.parameters) {
      const key = parameterKey(operation, parameter)
      test(`${dialect}: ${key}`, async () => {
        await using world = await createWorld()
        const run = scenarios.parameters[key]
        assert.ok(run, `There is no scenario "${key}".`)
        await run(world)
      })
    }
  }
}

function holdAgainst(expected: OperationAnswer, seen: SeenAnswer): void {
  assert.equal(seen.status, expected.status, seen.text)
  for (const name of expected.headers ?? []) {
    assert.ok(seen.headers[name] !== undefined, `The header ${name} is missing.`)
  }
  if (expected.contentType === 'none') {
    assert.equal(seen.text, '')
    return
  }
  const [contentType] = String(seen.headers['content-type']).split(';', 1)
  assert.equal(contentType, expected.contentType)
  const body: unknown = JSON.parse(seen.text)
  for (const field of expected.fields) {
    if (!isBelowAbsent(body, field, expected.fields)) checkField(body, field)
  }
}

/** What stands in the items of an optional list need not be shown where the list is absent. */
function isBelowAbsent(body: unknown, { at }: Field, fields: readonly Field[]): boolean {
  const end = at.indexOf('[]')
  const list = end < 0 ? undefined : fields.find((field) => field.at === at.slice(0, end))
  if (list === undefined || list.isRequired) return false
  return placesOf(body, list.at.split('.')).every((place) => place.isMissing)
}

function checkField(body: unknown, field: Field): void {
  const places = placesOf(body, field.at.split('.'))
  assert.ok(places.length > 0, `${field.at}: the list above it is empty, so nothing is shown.`)
  for (const place of places) {
    if (place.isMissing) {
      assert.ok(!field.isRequired, `${field.at} is missing.`)
      continue
    }
    if (place.value === null) {
      assert.ok(field.isNullable === true, `${field.at} is null.`)
      continue
    }
    assert.ok(isOfType(place.value, field.type), `${field.at} is no ${field.type}: ${place.value}`)
    if (field.oneOf !== undefined) {
      assert.ok(field.oneOf.includes(place.value as string), `${field.at} is ${place.value}`)
    }
  }
}

interface Place {
  value: unknown
  isMissing: boolean
}

/** Every place that a dotted path means: several below a list, none where nothing is above it. */
function placesOf(value: unknown, path: readonly string[]): Place[] {
  const [first, ...rest] = path
  if (first === undefined) return [{ value, isMissing: false }]
  if (first === '[]') {
    return Array.isArray(value) ? value.flatMap((item) => placesOf(item, rest)) : []
  }
  const isList = first.endsWith('[]')
  const name = isList ? first.slice(0, -2) : first
  if (typeof value !== 'object' || value === null) return []
  const member = (value as Record<string, unknown>)[name]
  if (isList) return placesOf(member, ['[]', ...rest])
  if (member === undefined) return [{ value: undefined, isMissing: true }]
  return placesOf(member, rest)
}

function isOfType(value: unknown, type: FieldType): boolean {
  switch (type) {
    case 'uuid':
      return typeof value === 'string' && uuidPattern.test(value)
    case 'uri':
      // RFC 9457 allows references that are relative.
      return typeof value === 'string' && URL.canParse(value, 'https://example.com')
    case 'time':
      return typeof value === 'string' && timePattern.test(value)
    case 'integer':
      return Number.isInteger(value)
    case 'list':
      return Array.isArray(value)
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    case 'string':
      return typeof value === 'string'
    case 'number':
      return typeof value === 'number'
    case 'boolean':
      return typeof value === 'boolean'
  }
}

const uuidPattern = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/
const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/
