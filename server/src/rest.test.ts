import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startServerProcess } from '../test/support/start-server-process.ts'
import { until } from '../test/support/until.ts'
import { createRest } from './rest.ts'

const mebibyte = 1024 * 1024

test('gives back once for each growth, and never while there is something to do', () => {
  let heapMebibytes = 40
  let rested = 25
  let count = 0
  const look = createRest({
    heapBytes: () => heapMebibytes * mebibyte,
    giveBack() {
      count += 1
      heapMebibytes = rested
    },
  })
  const countAfter = (busyShare: number) => {
    look(busyShare)
    return count
  }
  assert.equal(countAfter(0.02), 0)
  assert.equal(countAfter(0.001), 1)
  assert.equal(countAfter(0.001), 1)
  heapMebibytes = 32
  assert.equal(countAfter(0), 1)
  heapMebibytes = 33
  assert.equal(countAfter(0.5), 1)
  assert.equal(countAfter(0), 2)
  // What a rest could not give back is no growth, and the more that is the more has to come.
  heapMebibytes = 26
  assert.equal(countAfter(0), 2)
  rested = 200
  heapMebibytes = 210
  assert.equal(countAfter(0), 3)
  heapMebibytes = 240
  assert.equal(countAfter(0), 3)
  heapMebibytes = 250
  assert.equal(countAfter(0), 4)
})

test('a server that has nothing to do gives back in both of its busy threads', async (t) => {
  // Each thread says how much its heap takes, and goes on doing so.
  const told = `
    import { getHeapStatistics } from 'node:v8'
    import { isMainThread, threadName } from 'node:worker_threads'
    const name = isMainThread ? 'main' : threadName
    const say = () => process.stderr.write(
      'heap ' + name + ' ' + getHeapStatistics().total_physical_size + '\\n')
    setInterval(say, 200).unref()`
  const preload = `data:text/javascript,${encodeURIComponent(told)}`
  const server = await startServerProcess({ NODE_OPTIONS: `--import=${preload}` })
  t.after(server.dispose)
  for (const name of ['main', 'sender']) {
    const sizes = () =>
      [...server.output().matchAll(new RegExp(`^heap ${name} (\\d+)$`, 'gm'))].map(([, bytes]) =>
        Number(bytes),
      )
    await until(`${name} rests`, () => (sizes().at(-1) ?? 0) < 0.9 * Math.max(...sizes()))
  }
})
