import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { createClock } from '../../clock.ts'
import { type CheckpointBounds, createCheckpointer } from './checkpointer.ts'

/**
 * A thread that does nothing but checkpoints: with them on the writing thread, the slowest answers
 * took four to eight times as long (performance.md, Design that won, 4). It tells its parent that it
 * has begun and what went wrong.
 */
const { file, bounds } = workerData as { file: string; bounds: CheckpointBounds }

/**
 * How long one try for the write lock lasts. Short, for SQLite asks five times in the first 20 ms and
 * then ever more rarely, and a busy writer leaves only short gaps; a try that fails is a passive pass.
 */
const busyTimeoutMs = 20

const afterErrorMs = 1_000

const { monotonic } = createClock()
const database = new DatabaseSync(file, { timeout: busyTimeoutMs })
database.exec('pragma wal_autocheckpoint = 0')
const checkpointer = createCheckpointer({
  database,
  bounds,
  readLogFileBytes: () => statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0,
})
// Nobody knows what the last process had still to erase.
checkpointer.eraseLog()
const stopped = new AbortController()
parentPort?.on('message', (message: 'erase' | 'stop') => {
  if (message === 'erase') checkpointer.eraseLog()
  else stopped.abort()
})
parentPort?.postMessage('ready')

while (!stopped.signal.aborted) {
  const delayMs = look()
  await wait(delayMs, undefined, { signal: stopped.signal }).catch(() => {})
}
database.close()
parentPort?.close()

/** Returns how long to wait for the next look. */
function look(): number {
  try {
    return checkpointer.step(monotonic())
  } catch (error) {
    // A full disk or a busy lock: the log keeps what is committed, and a later look tries again.
    parentPort?.postMessage({ error })
    return afterErrorMs
  }
}
