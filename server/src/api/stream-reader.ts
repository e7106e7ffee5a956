import type { Delivery } from '../core/delivery.ts'
import type { Event } from '../core/event.ts'
import type { Page, PageRequest, Reads } from '../storage/storage.ts'

/** What happened, as a stream tells it. */
export type StreamItem =
  | { kind: 'event'; position: number; event: Event }
  /** A delivery that is new, or in another state than when it was told of last. */
  | { kind: 'delivery'; position: number; delivery: Delivery }
  /** More happened since the position than is told of: only what came after `position` follows. */
  | { kind: 'gap'; position: number }

export interface StreamReader {
  /** What there is since the call before, oldest first. Bodies of events are read one by one. */
  poll(): AsyncGenerator<StreamItem>
}

export interface StreamReaderOptions {
  storage: Pick<Reads, 'getEvent' | 'listEvents' | 'getDelivery' | 'listDeliveries'>
  projectId: string
  /** Which of the two are told. */
  tells: { events: boolean; deliveries: boolean }
  /** Nothing that was created before is told, in milliseconds since the epoch. */
  floor: number
  /** What was created up to then was told before; the floor where nothing was. */
  position: number
}

/**
 * Commits do not come in the order of the times in them: what was created up to this long before
 * the newest thing that was seen is looked for again. Longer than a commit waits for its turn, and
 * than clocks of nodes differ where they are kept in time.
 */
export const overlapMs = 5_000
/** Things of one poll; beyond, there is a gap. */
export const itemsMax = 20_000
/** Deliveries whose next state is waited for; the oldest are given up first. */
const watchedMax = 1_000
/** Of those, how many are looked at in one poll. */
const watchedPerPoll = 50
const pageSize = 500

/**
 * Reads a project's history from the store alone, so that it does not matter which node a thing
 * happened on. Everything is told at least once.
 */
export function createStreamReader(options: StreamReaderOptions): StreamReader {
  const { storage, projectId, tells, floor } = options
  let { position } = options
  // What was told, for as long as it is looked at again.
  const told = new Map<string, number>()
  const watched = new Map<string, string>()

  const watch = (delivery: Delivery) => {
    watched.delete(delivery.id)
    if (delivery.status !== 'pending') return
    watched.set(delivery.id, stateOf(delivery))
    const [oldest] = watched.keys()
    if (watched.size > watchedMax && oldest !== undefined) watched.delete(oldest)
  }
  const isNew = ({ id, createdAt }: { id: string; createdAt: number }) => {
    if (told.has(id)) return false
    told.set(id, createdAt)
    return true
  }

  async function* tellNew(): AsyncGenerator<StreamItem> {
    const from = Math.max(floor, position - overlapMs)
    const events = tells.events
      ? await readSince<Event>((page) => storage.listEvents(projectId, page), from)
      : none
    const deliveries = tells.deliveries
      ? await readSince<Delivery>(
          (page) => storage.listDeliveries(projectId, { since: from }, page),
          from,
        )
      : none
    if (events.isCut || deliveries.isCut) {
      position = Math.max(events.oldestAt, deliveries.oldestAt)
      yield { kind: 'gap', position }
    }
    const found = [...events.items.map(eventOf), ...deliveries.items.map(deliveryOf)]
    for (const thing of found.sort((a, b) => a.createdAt - b.createdAt)) {
      position = Math.max(position, thing.createdAt)
      if (thing.delivery !== null) {
        if (!isNew(thing)) continue
        watch(thing.delivery)
        yield { kind: 'delivery', position, delivery: thing.delivery }
      } else if (isNew(thing)) {
        const event = await storage.getEvent(projectId, thing.id)
        if (event !== null) yield { kind: 'event', position, event }
      }
    }
    for (const [id, at] of told) if (at < position - overlapMs) told.delete(id)
  }

  async function* tellChanges(): AsyncGenerator<StreamItem> {
    for (const [id, state] of [...watched].slice(0, watchedPerPoll)) {
      const delivery = await storage.getDelivery(projectId, id)
      // To the end of the line, so that all have their turn.
      watched.delete(id)
      if (delivery === null) continue
      watch(delivery)
      if (stateOf(delivery) !== state) yield { kind: 'delivery', position, delivery }
    }
  }

  return {
    async *poll() {
      const before = new Set(watched.keys())
      yield* tellNew()
      // Nothing that was told just now has changed already.
      if (before.size > 0) yield* tellChanges()
    },
  }
}

interface Found<T> {
  /** Newest first. */
  items: T[]
  /** True where there were more than are told of. */
  isCut: boolean
  oldestAt: number
}

const none: Found<never> = { items: [], isCut: false, oldestAt: 0 }

async function readSince<T extends { createdAt: number }>(
  read: (page: PageRequest) => Promise<Page<T>>,
  from: number,
): Promise<Found<T>> {
  const items: T[] = []
  for (let after: string | null = null; ; ) {
    const page: Page<T> = await read({ limit: pageSize, after })
    for (const item of page.items) {
      if (item.createdAt < from) return { items, isCut: false, oldestAt: from }
      if (items.length === itemsMax) {
        return { items, isCut: true, oldestAt: items.at(-1)?.createdAt ?? from }
      }
      items.push(item)
    }
    if (page.nextKey === null) return { items, isCut: false, oldestAt: from }
    after = page.nextKey
  }
}

interface Thing {
  id: string
  createdAt: number
  /** Null: it is an event. */
  delivery: Delivery | null
}

function eventOf({ id, createdAt }: Event): Thing {
  return { id, createdAt, delivery: null }
}

function deliveryOf(delivery: Delivery): Thing {
  return { id: delivery.id, createdAt: delivery.createdAt, delivery }
}

/** What of a delivery changes. */
function stateOf({ status, attemptCount, nextAttemptAt }: Delivery): string {
  return `${status} ${attemptCount} ${nextAttemptAt}`
}
