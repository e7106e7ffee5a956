import { randomBytes } from 'node:crypto'
import type { Clock } from '../../src/core/clock.ts'
import { createIdFactory } from '../../src/core/ids.ts'
import { openPostgresStorage } from '../../src/storage/postgres/open.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { createSamples, type Samples } from '../../src/storage/suite/samples-suite.ts'

/** One of several nodes on a database, with the time of the machine. */
export interface StorageNode extends AsyncDisposable {
  storage: Storage
  samples: Samples
  clock: Clock
}

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => Math.floor(performance.now()),
}

/** Opens one more node. What it complains of goes nowhere: tests break things on purpose. */
export async function openNode(
  url: string,
  options: Partial<Parameters<typeof openPostgresStorage>[0]> = {},
): Promise<StorageNode> {
  const clock = options.clock ?? realClock
  const newId = createIdFactory({ now: clock.now, randomBytes })
  const storage = await openPostgresStorage({
    url,
    clock,
    newId,
    leaseMs: 30_000,
    cacheTtlMs: 0,
    ...options,
  })
  return {
    storage,
    clock,
    samples: createSamples({ storage, clock }),
    [Symbol.asyncDispose]: storage.close,
  }
}
