import { performance } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Between two looks, and how busy a thread may have been in between that has nothing to do. */
const lookMs = 2_000
const busyShareMax = 0.01

/**
 * What makes a rest worth its pause, which is a tenth of a second for the heap that a start leaves, and
 * 2 ms for each megabyte that lives: so the more there is, the more has to come.
 */
const growthBytesMin = 8 * 1024 * 1024
const growthShareMin = 1 / 4

/**
 * From now on, whenever this thread has nothing to do, it gives back what its heap has grown by. V8
 * keeps a young generation as large as the last load made it, full of garbage that nobody collects
 * while nothing is allocated, and pools the pages that it has no use for. Of an idle server that was
 * a sixth.
 */
export function restWhenIdle(): void {
  // There where `tuneHeap` has asked for it, which is in the process of a server.
  const collect = runInNewContext('globalThis.gc') as NodeJS.GCFunction | undefined
  if (collect === undefined) return
  let before = performance.eventLoopUtilization()
  const look = createRest({
    heapBytes: () => getHeapStatistics().total_physical_size,
    // Of the kinds of collection the one that also empties the pool.
    giveBack: () => collect({ type: 'major', flavor: 'last-resort' }),
  })
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization()
    look(performance.eventLoopUtilization(now, before).utilization)
    before = now
  }, lookMs)
  timer.unref()
}

/** Returns what is to be told, from time to time, which share of the time was busy. */
export function createRest(heap: { heapBytes: () => number; giveBack: () => void }) {
  let restedBytes = 0
  return (busyShare: number) => {
    const growthBytes = heap.heapBytes() - restedBytes
    const isWorthIt = growthBytes >= Math.max(growthBytesMin, restedBytes * growthShareMin)
    if (busyShare > busyShareMax || !isWorthIt) return
    heap.giveBack()
    restedBytes = heap.heapBytes()
  }
}
