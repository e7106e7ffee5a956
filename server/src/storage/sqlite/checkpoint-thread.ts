import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { createClock } from '../../clock.ts'
import { type CheckpointBounds, checkpointIntervalMs, createCheckpointer } from './checkpointer.ts'

/**
 * A thread that does nothing but checkpoints: with them on the writing thread, the slowest answers
 * took eight times as long (performance.md, Design that won, 4). It tells its parent that it has
 * begun and what went wrong; any message ends it.
 */
const { file, bounds } = workerData as { file: string; bounds: CheckpointBounds }

/**
 * How long one try for the write lock lasts. Short, for SQLite asks ever more rarely: eight times in
 * the first 100 ms, then every 50 to 100 ms, and a busy writer leaves it only short gaps.
 */
const busyTimeoutMs = 100

const { monotonic } = createClock()
const database = new DatabaseSync(file, { timeout: busyTimeoutMs })
database.exec('pragma wal_autocheckpoint = 0')
const checkpointer = createCheckpointer({
  database,
  bounds,
  readLogFileBytes: () => statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0,
})

const timer = setInterval(() => {
  try {
    checkpointer.step(monotonic())
  } catch (error) {
    // A full disk or a busy lock: the log keeps what is committed, and a later step tries again.
    parentPort?.postMessage({ error })
  }
}, checkpointIntervalMs)

parentPort?.once('message', () => {
  clearInterval(timer)
  database.close()
})
parentPort?.postMessage('ready')
