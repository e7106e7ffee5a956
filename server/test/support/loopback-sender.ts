import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { createAddressGuard } from '../../src/dispatcher/address-guard.ts'
import {
  createHttpSender,
  type Exchange,
  type HttpSender,
  type OutgoingRequest,
} from '../../src/dispatcher/http-sender.ts'
import type { NameResolver } from '../../src/dispatcher/name-resolver.ts'
import type { TransportLimits } from '../../src/dispatcher/transport-limits.ts'

export interface LoopbackSender extends AsyncDisposable {
  readonly sender: HttpSender
  /** What `onBug` was told. */
  readonly bugs: unknown[]
  /** Sends one request and waits for its exchange; fails if `done` is called twice. */
  post(request: { url: string } & Partial<OutgoingRequest>): Promise<Exchange>
}

/** A sender that may talk to receivers on this machine, over plain http too. */
export function createLoopbackSender({
  resolve = async () => [{ address: '127.0.0.1', family: 4 }],
  allowedNetworks = ['127.0.0.0/8'],
  monotonicNow = () => performance.now(),
  ca = [],
  limits = {},
}: {
  resolve?: NameResolver
  allowedNetworks?: readonly string[]
  monotonicNow?: () => number
  ca?: readonly string[]
  limits?: Partial<TransportLimits>
} = {}): LoopbackSender {
  const guard = createAddressGuard({ allowHttp: true, allowedNetworks, allowedPorts: [], resolve })
  const bugs: unknown[] = []
  const onBug = (error: unknown): void => {
    bugs.push(error)
  }
  const sender = createHttpSender({ guard, monotonicNow, onBug, ca, limits })
  return {
    sender,
    bugs,
    post({ body = '{}', timeoutMs = 10_000, sign = () => ({ 'x-signed': '1' }), ...request }) {
      return new Promise((resolvePost) => {
        let doneCount = 0
        sender.send({ body, timeoutMs, sign, ...request }, (exchange) => {
          assert.equal(++doneCount, 1, 'done is called once')
          resolvePost(exchange)
        })
      })
    },
    [Symbol.asyncDispose]: () => sender.close(),
  }
}

/** Waits until a condition holds, for ten seconds at most. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2_000; tries++) {
    if (holds()) return
    await delay(5)
  }
  assert.fail(`never came true: ${what}`)
}
