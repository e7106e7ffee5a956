import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { openApiDocument } from '../src/api/openapi.ts'
import { errorTable } from '../src/core/errors.ts'
import { type GuideCommand, readGuideCommands, readGuideNames } from './support/guide-commands.ts'

const guide = new URL('../../docs/guides/rotating.md', import.meta.url)
const variables = {
  ...{ api: '/v1/projects/demo', rotation: 'rot_1', delivery: 'dlv_1' },
  ...{ fleet: '/v1', campaign: 'cmp_1' },
}

/** Members of the OpenAPI document that this test looks at. */
interface Document {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}
interface Operation {
  parameters?: { name: string; in: string }[]
  requestBody?: { content: Record<string, { schema: Schema }> }
}
interface Schema {
  $ref?: string
  properties?: Record<string, Schema>
  enum?: (string | null)[]
}

describe('docs that promise rotation that does not exist (trap: Hook0)', () => {
  const document = openApiDocument({ publicUrl: null }) as unknown as Document

  test('every command of the guide is a route, with its query and its fields', async () => {
    const commands = readGuideCommands(await readFile(guide, 'utf8'), variables)
    const verbs = ['rotate', 'revoke-previous', 'complete', 'cancel', 'secrets', 'retry', 'test']
    for (const verb of verbs) {
      assert.ok(
        commands.some(({ path }) => path.endsWith(`/${verb}`)),
        `the guide shows ${verb}`,
      )
    }
    for (const command of commands) assertExists(document, command)
  })

  test('every field, value and code that the guide names exists', async () => {
    const names = readGuideNames(await readFile(guide, 'utf8'))
    const known = vocabularyOf(document)
    for (const name of [
      'expire_current_in',
      'rotation_in_progress',
      'previous_secret_expires_at',
    ]) {
      assert.ok(names.includes(name), `the guide names ${name}`)
    }
    assert.deepEqual(
      names.filter((name) => !known.has(name)),
      [],
    )
  })

  test('a promise that is not kept is found', () => {
    const page =
      '```sh\ncurl -X POST $api/endpoints/mine/secret/undo -d \'{"in":1}\'\n```\n`no_such`'
    const [command] = readGuideCommands(page, variables)
    assert.ok(command)
    assert.deepEqual([command.method, command.members], ['POST', ['in']])
    assert.throws(() => assertExists(document, command), /secret\/undo/)
    assert.deepEqual(readGuideNames(page), ['no_such'])
    assert.ok(!vocabularyOf(document).has('no_such'))
  })
})

function assertExists(document: Document, command: GuideCommand): void {
  const { line, method, path, query, members } = command
  const operation = Object.entries(document.paths).find(
    ([template, operations]) => fits(template, path) && method.toLowerCase() in operations,
  )?.[1][method.toLowerCase()]
  assert.ok(operation, `there is no such route: ${line}`)
  const parameters = (operation.parameters ?? []).map(({ name }) => name)
  for (const name of query) assert.ok(parameters.includes(name), `no parameter ${name}: ${line}`)
  const [body] = Object.values(operation.requestBody?.content ?? {})
  const fields = Object.keys(resolved(document, body?.schema ?? {}).properties ?? {})
  for (const name of members) assert.ok(fields.includes(name), `no field ${name}: ${line}`)
}

function fits(template: string, path: string): boolean {
  const [parts, given] = [template.split('/'), path.split('/')]
  return (
    parts.length === given.length &&
    parts.every((part, index) => part.startsWith('{') || part === given[index])
  )
}

function resolved(document: Document, schema: Schema): Schema {
  const name = schema.$ref?.split('/').at(-1)
  return name === undefined ? schema : (document.components.schemas[name] ?? {})
}

/** Every name of a field, value or error code that the API has. */
function vocabularyOf(document: Document): Set<string> {
  const known = new Set<string>(Object.keys(errorTable))
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    const { properties, enum: values } = value as Schema
    for (const name of Object.keys(properties ?? {})) known.add(name)
    for (const item of values ?? []) if (item !== null) known.add(item)
    for (const inner of Object.values(value)) visit(inner)
  }
  visit(document)
  return known
}
