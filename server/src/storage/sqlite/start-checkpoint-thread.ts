import type { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import { type CheckpointBounds, checkpointBounds } from './checkpointer.ts'

/** SQLite's own default, in pages: what happens inside the writes while no thread does it. */
const inlineCheckpointPages = 1_000

/**
 * Starts the checkpoint thread and takes the checkpoints out of the writes. Should the thread ever
 * die, they return into the writes: slower, but the log stays bounded.
 */
export function startCheckpointThread(options: {
  file: string
  writerDatabase: DatabaseSync
  bounds?: CheckpointBounds
  onError?: ((message: string, error: unknown) => void) | undefined
}): { stop(): Promise<void> } {
  const { file, writerDatabase, bounds = checkpointBounds, onError } = options
  const worker = new Worker(new URL('./checkpoint-thread.ts', import.meta.url), {
    workerData: { file, bounds },
    resourceLimits: { maxOldGenerationSizeMb: 32 },
  })
  worker.on('message', (message: 'ready' | { error: unknown }) => {
    if (message === 'ready') setInlineCheckpoints(writerDatabase, 0)
    else onError?.('The write-ahead log could not be checkpointed; trying again.', message.error)
  })
  worker.on('error', (error) => {
    setInlineCheckpoints(writerDatabase, inlineCheckpointPages)
    onError?.('The checkpoint thread ended; checkpoints now happen inside the writes.', error)
  })
  // After the listeners, which hold the process as long as there is one.
  worker.unref()
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  return {
    async stop() {
      worker.ref()
      worker.postMessage('stop')
      await exited
    },
  }
}

function setInlineCheckpoints(database: DatabaseSync, pages: number): void {
  if (database.isOpen) database.exec(`pragma wal_autocheckpoint = ${pages}`)
}
