import type { Clock } from '../../core/clock.ts'
import type { StorageConsumers } from '../storage.ts'
import type { Claims } from './claims.ts'
import { noChanges } from './effects.ts'
import type { Partitions } from './partitions.ts'

/** How often a node that dispatches looks for what nobody told it of: one short query. */
const lookEveryMs = 4_000
const partitionsEveryMs = 3_600_000

/**
 * What a node does by itself, whatever is asked of it: it looks for deliveries that another node left
 * due, or had leased when it ended, and sees to it that the coming weeks have their partitions.
 */
export function startUpkeep(options: {
  claims: Pick<Claims, 'look'>
  partitions: Pick<Partitions, 'makeAhead'>
  clock: Clock
  consumers: () => StorageConsumers
  onError: (message: string, error: unknown) => void
}): { stop(): Promise<void> } {
  const { claims, partitions, clock, consumers, onError } = options

  const look = every(lookEveryMs, async () => {
    if (consumers().handOff === undefined) return
    try {
      if (!(await claims.look())) return
      await consumers().onCommitted?.({ ...noChanges(), hasDueDeliveries: true })
    } catch (error) {
      onError('Due deliveries could not be looked for; trying again.', error)
    }
  })
  const ahead = every(partitionsEveryMs, async () => {
    try {
      await partitions.makeAhead(clock.now())
    } catch (error) {
      onError('The partitions of the coming weeks could not be made; trying again.', error)
    }
  })

  return {
    async stop() {
      await Promise.all([look.stop(), ahead.stop()])
    },
  }
}

/** Counts from the end of one run to the beginning of the next. */
function every(ms: number, run: () => Promise<void>): { stop(): Promise<void> } {
  let isStopped = false
  let running: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  const schedule = () => {
    if (isStopped) return
    timer = setTimeout(() => {
      running = run().finally(schedule)
    }, ms).unref()
  }
  schedule()
  return {
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await running
    },
  }
}
