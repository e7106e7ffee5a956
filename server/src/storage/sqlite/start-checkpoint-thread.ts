import type { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { type CheckpointBounds, checkpointBounds } from './checkpointer.ts'

/** SQLite's own default, in pages: what happens inside the writes while no thread does it. */
const inlineCheckpointPages = 1_000

const failedMessage = 'The write-ahead log could not be checkpointed; trying again.'

type OnCheckpointError = (message: string, error: unknown) => void

export interface CheckpointThread {
  /** Empties the log within seconds, or as soon as nobody reads from it any more. */
  eraseLog(): void
  stop(): Promise<void>
}

/**
 * Starts the checkpoint thread and takes the checkpoints out of the writes. Should the thread ever
 * die, they return into the writes: slower, but the log stays bounded.
 */
export function startCheckpointThread(options: {
  file: string
  writerDatabase: DatabaseSync
  bounds?: CheckpointBounds
  onError?: OnCheckpointError | undefined
}): CheckpointThread {
  const { file, writerDatabase, bounds = checkpointBounds, onError } = options
  const worker = new Worker(new URL('./checkpoint-thread.ts', import.meta.url), {
    workerData: { file, bounds },
    resourceLimits: { maxOldGenerationSizeMb: 32 },
  })
  worker.on('message', (message: 'ready' | { error: unknown }) => {
    if (message === 'ready') setInlineCheckpoints(writerDatabase, 0)
    else onError?.(failedMessage, message.error)
  })
  let isDead = false
  worker.on('error', (error) => {
    isDead = true
    setInlineCheckpoints(writerDatabase, inlineCheckpointPages)
    onError?.('The checkpoint thread ended; checkpoints now happen inside the writes.', error)
  })
  // After the listeners, which hold the process as long as there is one.
  worker.unref()
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  return {
    eraseLog() {
      if (isDead) emptyLog(writerDatabase, onError)
      else worker.postMessage('erase')
    },
    async stop() {
      worker.ref()
      worker.postMessage('stop')
      await exited
    },
  }
}

/** Between two transactions of the writer. Leaves the log as it is while somebody reads from it. */
export function emptyLog(
  writerDatabase: DatabaseSync,
  onError: OnCheckpointError | undefined,
): void {
  try {
    writerDatabase.exec('pragma wal_checkpoint(truncate)')
  } catch (error) {
    // What was removed stays removed; the next start empties the log.
    onError?.(failedMessage, error)
  }
}

function setInlineCheckpoints(database: DatabaseSync, pages: number): void {
  if (database.isOpen) database.exec(`pragma wal_autocheckpoint = ${pages}`)
}
