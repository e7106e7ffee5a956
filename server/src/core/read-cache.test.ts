import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createReadCache } from './read-cache.ts'

/** A store that answers when the test says so. */
function setUp(options: { ttlMs: number; entriesMax?: number }) {
  let now = 0
  const reads: ((value: string | null) => void)[] = []
  const cache = createReadCache<string | null>({
    entriesMax: 10,
    ...options,
    clock: { monotonic: () => now },
  })
  return {
    cache,
    reads,
    pass(ms: number) {
      now += ms
    },
    get: (key = 'a') => cache.get(key, () => new Promise((resolve) => reads.push(resolve))),
  }
}

describe('what was read and may be used for a while', () => {
  test('is used at once until its lifetime ends, counted from before the read', async () => {
    const { get, reads, pass } = setUp({ ttlMs: 100 })
    const first = get()
    pass(60)
    reads[0]?.('one')
    assert.equal(await first, 'one')
    pass(39)
    assert.equal(get(), 'one')
    pass(1)
    const second = get()
    reads[1]?.('two')
    assert.equal(await second, 'two')
  })

  test('is read once for all who ask within a lifetime, also where a read takes longer', async () => {
    const { get, reads, pass } = setUp({ ttlMs: 100 })
    const early = [get(), get()]
    pass(99)
    early.push(get())
    assert.equal(reads.length, 1)
    pass(1)
    // Whoever comes now may have been answered a change that the first read did not see.
    const late = [get(), get()]
    assert.equal(reads.length, 2)
    pass(500)
    reads[1]?.('new')
    reads[0]?.('old')
    assert.deepEqual(await Promise.all(early), ['old', 'old', 'old'])
    assert.deepEqual(await Promise.all(late), ['new', 'new'])
    void get()
    assert.equal(reads.length, 3, 'what came too late is not used by others')
  })

  test('is not kept where something was committed while it was read', async () => {
    const { cache, get, reads } = setUp({ ttlMs: 0 })
    const before = get()
    cache.forget(() => false)
    const after = get()
    assert.equal(reads.length, 2, 'nobody joins a read from before the commit')
    reads[1]?.('new')
    reads[0]?.('old')
    assert.deepEqual([await before, await after], ['old', 'new'])
    assert.equal(get(), 'new')
    cache.forget((value) => value === 'new')
    assert.equal(cache.known('a'), undefined)
  })

  test('keeps neither nothing nor a failure, and no more than so many', async () => {
    const { cache, get, reads } = setUp({ ttlMs: 0, entriesMax: 2 })
    const nothing = get()
    reads[0]?.(null)
    assert.equal(await nothing, null)
    const failing = () => cache.get('b', () => Promise.reject(new Error('no store')))
    await assert.rejects(async () => failing(), { message: 'no store' })
    assert.equal(cache.known('a') ?? cache.known('b'), undefined)
    for (const key of ['a', 'b', 'c']) await cache.get(key, async () => key)
    assert.deepEqual(
      ['a', 'b', 'c'].map((key) => cache.known(key)),
      [undefined, 'b', 'c'],
    )
  })
})
