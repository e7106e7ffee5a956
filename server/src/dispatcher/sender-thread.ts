import { parentPort, workerData } from 'node:worker_threads'
import { openClock } from '../clock.ts'
import { createIdFactory } from '../core/ids.ts'
import { createRandom } from '../random.ts'
import { restWhenIdle } from '../rest.ts'
import { createAddressGuard, type PortRange } from './address-guard.ts'
import { createHttpSender } from './http-sender.ts'
import { createNameResolver } from './name-resolver.ts'
import { type PackedToSender, packFromSender, unpackToSender } from './packed-messages.ts'
import { createSender } from './sender.ts'

/** What the sender thread is started with. */
export interface SenderThreadData {
  clock: SharedArrayBuffer
  allowHttp: boolean
  allowedNetworks: readonly string[]
  allowedPorts: readonly PortRange[]
  slotsMax: number
  attemptTimeoutMs: number
  userAgent: string
}

/** The first message of the thread: everything that it consists of is loaded. */
export const senderReady = 'ready'

function run(): void {
  const port = parentPort
  if (port === null) throw new Error('This file is the entry of a worker thread.')
  const data = workerData as SenderThreadData
  const clock = openClock(data.clock)
  const guard = createAddressGuard({
    allowHttp: data.allowHttp,
    allowedNetworks: data.allowedNetworks,
    allowedPorts: data.allowedPorts,
    resolve: createNameResolver({ monotonicNow: clock.monotonic }),
  })
  let timer: NodeJS.Timeout | undefined
  const randomBytes = createRandom().bytes
  const sender = createSender({
    clock,
    newId: createIdFactory({ now: clock.now, randomBytes }),
    randomBytes,
    guard,
    http: createHttpSender({
      guard,
      monotonicNow: clock.monotonic,
      // A bug must not pass in silence: the thread ends, and the process with it.
      onBug: (error) => {
        throw error
      },
    }),
    slotsMax: data.slotsMax,
    attemptTimeoutMs: data.attemptTimeoutMs,
    userAgent: data.userAgent,
    post: (message) => port.postMessage(packFromSender(message)),
    soon: setImmediate,
    wakeAfter(delayMs, work) {
      clearTimeout(timer)
      timer = setTimeout(work, delayMs)
    },
  })
  port.on('message', (message: PackedToSender) => sender.receive(unpackToSender(message)))
  port.postMessage(senderReady)
  restWhenIdle()
}

run()
