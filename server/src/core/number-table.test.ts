import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { createNumberTable } from './number-table.ts'

suite('Number table', () => {
  test('holds what a map holds, whatever comes and goes', () => {
    const key = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 2 ** 40 }))
    const step = fc.record({ key, isRemoval: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
        const table = createNumberTable<number>()
        const model = new Map<number, number>()
        steps.forEach(({ key, isRemoval }, value) => {
          if (isRemoval) {
            assert.equal(table.remove(key), model.get(key))
            model.delete(key)
          } else {
            table.set(key, value)
            model.set(key, value)
          }
          assert.equal(table.size, model.size)
        })
        const byValue = (a: number, b: number) => a - b
        assert.deepEqual(table.values().sort(byValue), [...model.values()].sort(byValue))
        for (const { key } of steps) assert.equal(table.get(key), model.get(key))
      }),
    )
  })

  test('finds every one of many neighbours after every second was removed', () => {
    const table = createNumberTable<string>()
    for (let key = 1; key <= 10_000; key++) table.set(key, `value ${key}`)
    for (let key = 1; key <= 10_000; key += 2) assert.equal(table.remove(key), `value ${key}`)
    assert.equal(table.size, 5_000)
    for (let key = 1; key <= 10_000; key++) {
      assert.equal(table.get(key), key % 2 === 1 ? undefined : `value ${key}`)
    }
  })
})
