import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { findPostgres, noPostgres, startPostgres } from '../../../test/support/postgres-server.ts'
import { binaryArray } from './binary-array.ts'
import { createStatements, type Value } from './connection.ts'
import { createPool, type Pool } from './pool.ts'

const skip = findPostgres() === null ? noPostgres : false

const item = {
  bigint: fc.maxSafeInteger(),
  integer: fc.integer({ min: -(2 ** 31) + 1 }),
  'double precision': fc.double({ noNaN: true }),
  text: fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', 'NULL', '{}', '"\\', '\0', '“ü”'),
  ),
  boolean: fc.boolean(),
  bytea: fc.uint8Array({ maxLength: 40 }),
} as const

describe('arrays as the database reads them fastest', { skip }, () => {
  let pool: Pool
  let dispose = async () => {}
  before(async () => {
    const server = await startPostgres()
    const { url } = await server.createDatabase()
    pool = createPool({ url, statements: createStatements(), connectionsMax: 1, onFailure() {} })
    dispose = async () => {
      await pool.end()
      await server.dispose()
    }
  })
  after(() => dispose())

  for (const [element, arbitrary] of Object.entries(item)) {
    test(`${element}: each item arrives as it was, and nothing as nothing`, async () => {
      const read = async (items: Value) => {
        const rows = await pool.connection.all<{ v: unknown }>(
          `select v from unnest(?::${element}[]) with ordinality as u(v, n) order by n`,
          items,
        )
        return rows.map(({ v }) => v)
      }
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.option<Value>(arbitrary), { maxLength: 20 }),
          async (items) => {
            const stored = items.map((one) =>
              // No text of the database holds it, nor half of a pair.
              typeof one === 'string' ? one.replaceAll('\0', '\ufffd').toWellFormed() : one,
            )
            assert.deepEqual(await read(items as Value), stored)
          },
        ),
        { numRuns: 100 },
      )
    })
  }

  test('what is larger than the room that is kept arrives whole too', async () => {
    const items = ['a', 'ü'.repeat(300_000), null, 'b'.repeat(200_000)]
    const rows = await pool.connection.all<{ v: string | null }>(
      'select v from unnest(?::text[]) with ordinality as u(v, n) order by n',
      items,
    )
    assert.deepEqual(
      rows.map(({ v }) => v),
      items,
    )
  })

  test('what is not of the type is left to the text, which the database judges', () => {
    assert.equal(binaryArray('bigint', ['1']), null)
    assert.equal(binaryArray('bigint', [1.5]), null)
    assert.equal(binaryArray('integer', [2 ** 31]), null)
    assert.equal(binaryArray('text', [1]), null)
    assert.equal(binaryArray('boolean', [null, 0]), null)
  })
})
