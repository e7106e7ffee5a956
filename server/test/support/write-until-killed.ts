/**
 * A process that publishes into the SQLite file it is given and prints the ids of every call that
 * was acknowledged, one line a call, until someone kills it or 20,000 calls are done.
 */
import { randomBytes } from 'node:crypto'
import { writeSync } from 'node:fs'
import { createClock } from '../../src/clock.ts'
import { createIdFactory } from '../../src/core/ids.ts'
import { openSqliteStorage } from '../../src/storage/sqlite/open.ts'
import { createSamples } from '../../src/storage/suite/samples-suite.ts'

const callsMax = 20_000
const concurrency = 8

const file = process.argv[2]
if (file === undefined) throw new Error('Give the database file.')
const clock = createClock()
const newId = createIdFactory({ now: clock.now, randomBytes })
const storage = await openSqliteStorage({ file, clock, newId, leaseMs: 30_000 })
const samples = createSamples({ storage, clock })
const project = await samples.addProject()
await samples.addEndpoint(project.id)
await samples.addEndpoint(project.id)

let callCount = 0
async function publishOn(): Promise<void> {
  while (callCount < callsMax) {
    callCount += 1
    const events = await samples.publish(project.id, {}, {})
    // Synchronous, so that no acknowledged id is ever held back in this process.
    print(`${events.map(({ id }) => id).join(' ')}\n`)
  }
}

/** Waits in place where the reader is slow: the pipe does not block, and would refuse. */
function print(line: string): void {
  let rest = Buffer.from(line)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    }
  }
}

await Promise.all(Array.from({ length: concurrency }, publishOn))
await storage.close()
