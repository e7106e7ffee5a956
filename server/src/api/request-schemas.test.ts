import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { dialectApis } from '../dialects/registry.ts'
import { components } from './components.ts'
import { routes } from './routes.ts'
import { createSchemaCompiler } from './validation.ts'

const served = [...routes, ...dialectApis().flatMap((dialect) => dialect.routes)]

/** The server compiles a schema when a request first needs it, and believes that it is one. */
test('every schema that requests are held against is one, and compiles', () => {
  const schemas = createSchemaCompiler(components)
  const ajv = new Ajv2020()
  let count = 0
  for (const { method, path, body, query } of served) {
    if (body !== undefined) assert.ok(schemas.forBody(body.schema)('no object').length > 0, path)
    if (query !== undefined) schemas.forQuery(query)({})
    for (const schema of [body?.schema, query]) {
      if (schema === undefined) continue
      assert.ok(ajv.validateSchema(schema), `${method} ${path}: ${ajv.errorsText()}`)
      count += 1
    }
  }
  assert.ok(count > 50, `${count} schemas`)
})
