/** How long ids are remembered where nothing else is said: longer than any schedule of retries. */
const keepDefaultMs = 7 * 86_400_000
/** How long an event stays taken where nothing else is said: longer than any handler should run. */
const holdDefaultMs = 60_000
/** Ids in memory where nothing else is said. */
const idsDefaultMax = 100_000

/**
 * Remembers which events were handled. In memory with `memorySeenStore`; several processes share
 * one of their own, which has to do each step atomically.
 *
 * @example
 * // With Redis: `set … nx` is the atomic step.
 * const seen: SeenStore = {
 *   async take(id, holdMs) {
 *     if (await redis.set(id, 'busy', 'PX', holdMs, 'NX')) return 'taken'
 *     return (await redis.get(id)) === 'done' ? 'done' : 'busy'
 *   },
 *   finish: async (id, keepMs) => void (await redis.set(id, 'done', 'PX', keepMs)),
 *   release: async (id) => void (await redis.del(id)),
 * }
 */
export interface SeenStore {
  /**
   * Takes the id for `holdMs`, unless it is `done`, or another one has taken it and is `busy`. A
   * hold that is neither finished nor released lapses: its process may have died.
   */
  take(id: string, holdMs: number): Promise<'taken' | 'busy' | 'done'>
  /** The event was handled: from now on it is `done`, for `keepMs`. */
  finish(id: string, keepMs: number): Promise<void>
  /** The event was not handled: it can be taken again. */
  release(id: string): Promise<void>
}

/**
 * How long things are remembered.
 *
 * @example
 * const options: HandleOnceOptions = { holdMs: 10_000, keepMs: 30 * 86_400_000 }
 * await handleOnce(seen, event.id, async () => console.log(event.data), options)
 */
export interface HandleOnceOptions {
  /** How long handling may take before the event counts as abandoned. Default a minute. */
  holdMs?: number | undefined
  /** How long an id is remembered. Default a week. */
  keepMs?: number | undefined
}

/**
 * Does the work of an event once, however often the event is delivered. What the work throws is
 * thrown on, and the event can then be handled again. A process that dies in between leaves the
 * event to the next delivery after `holdMs`, so work may be begun twice: where that does harm,
 * note the id in the transaction of the work instead.
 *
 * @returns `handled`; `handled_before`, without doing it; or `busy` where it is being done at this
 *   moment: answer that with an error, so that the event comes again should the other one fail.
 * @example
 * const event = await verifyWebhook(body, headers, secrets)
 * const outcome = await handleOnce(seen, event.id, async () => console.log(event.data))
 * const response = new Response(null, { status: outcome === 'busy' ? 409 : 204 })
 */
export async function handleOnce(
  store: SeenStore,
  id: string,
  work: () => unknown,
  { holdMs = holdDefaultMs, keepMs = keepDefaultMs }: HandleOnceOptions = {},
): Promise<'handled' | 'handled_before' | 'busy'> {
  const found = await store.take(id, holdMs)
  if (found !== 'taken') return found === 'done' ? 'handled_before' : 'busy'
  try {
    await work()
  } catch (error) {
    await store.release(id)
    throw error
  }
  await store.finish(id, keepMs)
  return 'handled'
}

/**
 * Remembers ids in this process: enough for one process that may forget when it is started anew.
 *
 * @param options.idsMax more ids than these, and the oldest are forgotten. Default 100 000.
 * @param options.now milliseconds of a clock; takes the place of the system's, for tests.
 * @example
 * const seen: SeenStore = memorySeenStore({ idsMax: 10_000 })
 */
export function memorySeenStore(
  options: { idsMax?: number | undefined; now?: (() => number) | undefined } = {},
): SeenStore {
  const { idsMax = idsDefaultMax, now = Date.now } = options
  // In the order of writing, so the first is the oldest.
  const entries = new Map<string, { isDone: boolean; endsAt: number }>()
  const put = (id: string, isDone: boolean, ms: number) => {
    entries.delete(id)
    entries.set(id, { isDone, endsAt: now() + ms })
    for (const oldest of entries.keys()) {
      if (entries.size <= idsMax) break
      entries.delete(oldest)
    }
  }
  return {
    async take(id, holdMs) {
      const entry = entries.get(id)
      if (entry !== undefined && entry.endsAt > now()) return entry.isDone ? 'done' : 'busy'
      put(id, false, holdMs)
      return 'taken'
    },
    finish: async (id, keepMs) => put(id, true, keepMs),
    release: async (id) => void entries.delete(id),
  }
}
