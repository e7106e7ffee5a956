/** First in, first out, in constant time however long it grows. */
export interface Fifo<Item> {
  /** The items; those before `head` have left. */
  items: (Item | undefined)[]
  head: number
}

export function createFifo<Item>(): Fifo<Item> {
  return { items: [], head: 0 }
}

export function fifoLength(fifo: Fifo<unknown>): number {
  return fifo.items.length - fifo.head
}

export function pushLast<Item>(fifo: Fifo<Item>, item: Item): void {
  fifo.items.push(item)
}

/** The oldest item, which stays in; undefined when there is none. */
export function peekFirst<Item>(fifo: Fifo<Item>): Item | undefined {
  return fifo.items[fifo.head]
}

/** The oldest item, taken out; undefined when there is none. */
export function takeFirst<Item>(fifo: Fifo<Item>): Item | undefined {
  const item = fifo.items[fifo.head]
  if (item === undefined) return undefined
  // Let go of it at once: a long queue must not keep what it has already handed out.
  fifo.items[fifo.head] = undefined
  fifo.head += 1
  if (fifo.head === fifo.items.length) {
    fifo.items = []
    fifo.head = 0
  } else if (fifo.head >= COMPACT_MIN && fifo.head * 2 >= fifo.items.length) {
    // Moves at most as many items as have been taken since the last time.
    fifo.items = fifo.items.slice(fifo.head)
    fifo.head = 0
  }
  return item
}

const COMPACT_MIN = 64
