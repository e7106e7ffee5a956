import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { listenForStop } from './stop-signals.ts'

function create(options: { isRunByNpm: boolean }) {
  const source = new EventEmitter()
  let now = 1000
  let secondCount = 0
  const stop = listenForStop({
    onSecond: () => {
      secondCount += 1
    },
    monotonic: () => now,
    isRunByNpm: options.isRunByNpm,
    source,
  })
  return {
    stop,
    source,
    secondCount: () => secondCount,
    sendAfter(ms: number, signal: 'SIGTERM' | 'SIGINT') {
      now += ms
      source.emit(signal)
    },
  }
}

test('the first signal asks for a stop, the second ends at once', async () => {
  const { stop, sendAfter, secondCount } = create({ isRunByNpm: false })
  assert.equal(stop.signal.aborted, false)
  sendAfter(0, 'SIGTERM')
  await stop.requested
  assert.equal(stop.signal.aborted, true)
  assert.equal(secondCount(), 0)
  sendAfter(0, 'SIGTERM')
  assert.equal(secondCount(), 1)
})

test('under npm, the echo of a Ctrl-C is not a second one, but another press is', () => {
  const { sendAfter, secondCount } = create({ isRunByNpm: true })
  sendAfter(0, 'SIGINT')
  sendAfter(20, 'SIGINT')
  assert.equal(secondCount(), 0)
  sendAfter(400, 'SIGINT')
  assert.equal(secondCount(), 1)
})

test('under npm, another signal is no echo', () => {
  const { sendAfter, secondCount } = create({ isRunByNpm: true })
  sendAfter(0, 'SIGINT')
  sendAfter(20, 'SIGTERM')
  assert.equal(secondCount(), 1)
})

test('nothing is left on the process afterwards', () => {
  const { stop, source } = create({ isRunByNpm: false })
  stop[Symbol.dispose]()
  assert.deepEqual(source.eventNames(), [])
})
