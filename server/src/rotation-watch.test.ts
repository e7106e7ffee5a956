import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../test/support/until.ts'
import { createRotationWatch } from './rotation-watch.ts'

const due = { endpointId: 'ep_1', rotationId: 'rot_1' }

/** A watch over one rotation that is to be looked at once. */
function watchOne(options: { listDue: (isLookedAt: boolean) => (typeof due)[] }) {
  let looks = 0
  const errors: unknown[] = []
  const watch = createRotationWatch({
    now: Date.now,
    nextLookAt: async () => (looks > 0 ? null : Date.now()),
    listDue: async () => options.listDue(looks > 0),
    async look() {
      looks++
    },
    onError: (_message, error) => errors.push(error),
  })
  return { watch, looks: () => looks, errors }
}

test('looks at what became due after the list was read', async () => {
  let lists = 0
  const { watch, looks, errors } = watchOne({
    // A millisecond early, or before this node was the one that looks.
    listDue: (isLookedAt) => (++lists === 1 || isLookedAt ? [] : [due]),
  })
  watch.start()
  await until('it was looked at', () => looks() === 1)
  await watch.stop()
  assert.deepEqual(errors, [])
})

test('rests after a look that fails at once', async () => {
  let failures = 0
  const watch = createRotationWatch({
    now: Date.now,
    nextLookAt: async () => Date.now(),
    listDue: async () => [due],
    async look() {
      throw new Error('The store rests.')
    },
    onError: () => failures++,
  })
  const from = performance.now()
  watch.start()
  await until('it was tried again', () => failures >= 3)
  assert.ok(performance.now() - from > 1_500, 'about a second between two tries')
  await watch.stop()
})

test('looks at what became due while another look was under way', async () => {
  const first = { endpointId: 'ep_1', rotationId: 'rot_1' }
  const second = { endpointId: 'ep_2', rotationId: 'rot_2' }
  const looked: string[] = []
  const isDue = new Set([first])
  const end = Promise.withResolvers<void>()
  const watch = createRotationWatch({
    now: Date.now,
    nextLookAt: async () => (isDue.size > 0 ? Date.now() : null),
    async listDue() {
      const listed = [...isDue]
      // Due from now on, a moment after the list was read.
      if (!looked.includes('rot_2')) isDue.add(second)
      return listed
    },
    async look(each) {
      looked.push(each.rotationId)
      if (each === first) await end.promise
      isDue.delete(each)
    },
    onError: (message) => assert.fail(message),
  })
  watch.start()
  await until('the second was looked at', () => looked.includes('rot_2'))
  end.resolve()
  await watch.stop()
  assert.deepEqual(looked, ['rot_1', 'rot_2'])
})
