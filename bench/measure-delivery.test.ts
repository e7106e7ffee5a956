import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { measureCeiling } from './measure-ceiling.ts'
import { type DeliveryRun, fullLoad, measureDelivery } from './measure-delivery.ts'
import { createTarget, startProduct } from './product.ts'
import { nodePrograms, type Programs, preparePrograms, workDir } from './programs.ts'
import { startReceiver } from './start-receiver.ts'

const standIn = join(import.meta.dirname, 'stand-in-server.ts')
const compiled = await preparePrograms()
const noCompiler = compiled.implementation === 'node' && 'no gcc, so there are no compiled programs'
const events = 400

for (const programs of [nodePrograms(), compiled]) {
  const isCompiled = programs === compiled
  const options = { skip: isCompiled && noCompiler }

  describe(`measured delivery (${isCompiled ? 'c' : 'node'})`, options, () => {
    test('finds every accepted event at the receiver', async () => {
      const run = await deliver(programs, {})
      const { accepted, unique, repeated, lost, failure } = run
      assert.deepEqual(
        { accepted, unique, repeated, lost, failure },
        { accepted: events, unique: events, repeated: 0, lost: 0, failure: null },
      )
      assert.ok(run.rate > 0)
      assert.equal(run.arrivalUs.count, events)
    })

    test('fails when a server loses accepted events', async () => {
      const { lost, failure } = await deliver(programs, { STAND_IN_LOSES: '100' })
      assert.equal(lost, 4)
      assert.equal(failure, '4 deliveries of 400 accepted events did not arrive')
    })

    test('fails when a server refuses events', async () => {
      const { accepted, failure } = await deliver(programs, { STAND_IN_REFUSES: '100' })
      assert.equal(accepted, 396)
      assert.equal(failure, 'not accepted: 4 × 429')
    })
  })
}

test('events for no endpoint are counted where they are accepted', async () => {
  await using receiver = await startReceiver(compiled)
  await using product = await startProduct({ entry: standIn, concurrency: 4 })
  const target = await createTarget(product, [])
  const run = await measureDelivery(
    { programs: compiled, receiver, product, target, fanOut: 0 },
    fullLoad({ connections: 4, count: events, timeMaxMs: 20_000 }),
    20_000,
  )
  assert.deepEqual([run.failure, run.accepted, run.unique], [null, events, 0])
  assert.ok(run.rate > 0)
})

test('the bare sender of the ceiling loses nothing', async () => {
  await using receiver = await startReceiver(compiled)
  const run = await measureCeiling({ receiver, connections: 8, warmUpMs: 50, ms: 200 })
  assert.equal(run.failure, null)
  assert.ok(run.unique > 0 && run.rate > 0)
})

test('a server that ends is reported with its last words, and leaves no store behind', async () => {
  const before = stores()
  await assert.rejects(
    startProduct({ entry: join(import.meta.dirname, 'no-such-server.ts'), concurrency: 1 }),
    /the server has ended:.*no-such-server/s,
  )
  assert.deepEqual(stores(), before)
})

async function deliver(
  programs: Programs,
  environment: Record<string, string>,
): Promise<DeliveryRun> {
  await using receiver = await startReceiver(programs)
  await using product = await startProduct({ entry: standIn, concurrency: 4, environment })
  const url = `http://127.0.0.1:${receiver.port}/`
  const target = await createTarget(product, [{ url, eventTypes: ['bench.load'] }])
  return await measureDelivery(
    { programs, receiver, product, target },
    fullLoad({ connections: 4, count: events, timeMaxMs: 20_000 }),
    // A run that loses nothing ends as soon as all has arrived; one that does waits this long.
    Object.keys(environment).length > 0 ? 4_000 : 20_000,
  )
}

function stores(): string[] {
  if (!existsSync(workDir)) return []
  return readdirSync(workDir).filter((name) => name.startsWith(`data-${process.pid}-`))
}
