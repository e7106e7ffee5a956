import { Worker } from 'node:worker_threads'
import type { SenderLink } from './dispatcher.ts'
import { type PackedFromSender, packToSender, unpackFromSender } from './packed-messages.ts'
import type { SenderThreadData, senderReady } from './sender-thread.ts'

export interface SenderThread extends SenderLink {
  /** Resolves when it can send; rejects where it could not be loaded. */
  readonly ready: Promise<void>
  /** Resolves with the reason when the thread ends by itself, which is always a bug. */
  readonly failed: Promise<Error>
  end(): Promise<void>
}

/** Starts the thread that makes the attempts. */
export function startSenderThread(data: SenderThreadData): SenderThread {
  // From a checkout the sources run as they are; a published package holds compiled files.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const entry = new URL(`./sender-thread.${extension}`, import.meta.url)
  const worker = new Worker(entry, { workerData: data, name: 'sender' })
  let isEnding = false
  const failed = new Promise<Error>((resolve) => {
    worker.once('error', (error) => resolve(error as Error))
    worker.once('exit', (code) => {
      if (!isEnding) resolve(new Error(`The sender thread ended with code ${code}.`))
    })
  })
  const ready = new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve())
    void failed.then(reject)
  })
  // Who starts and gives up before it is there does not wait for it.
  ready.catch(() => {})
  return {
    ready,
    failed,
    post: (message) => worker.postMessage(packToSender(message)),
    onMessage(listener) {
      worker.on('message', (message: PackedFromSender | typeof senderReady) => {
        if (typeof message !== 'string') listener(unpackFromSender(message))
      })
    },
    async end() {
      isEnding = true
      await worker.terminate()
    },
  }
}
