import type { Countersign } from '@countersign/sdk'

/** Publishes at a steady rate, across crashes of the server, and remembers what was accepted. */
export interface Publisher {
  /** Ids that the server answered for. */
  acceptedIds: Set<string>
  /** Stops, and resolves when every publish under way is settled. */
  stop(): Promise<void>
}

export function startPublisher(options: {
  client: Countersign
  project: string
  type: string
  perSecond: number
  /** Makes ids unique over several publishers of a project. */
  idPrefix: string
}): Publisher {
  const acceptedIds = new Set<string>()
  const underWay = new Set<Promise<void>>()
  let count = 0
  let isStopped = false

  const publish = async (id: string) => {
    // The id makes publishing again safe, so a crash in between costs neither loss nor a twin.
    while (!isStopped) {
      try {
        await options.client.events.publish(options.project, {
          id,
          type: options.type,
          data: { id, n: count },
        })
        acceptedIds.add(id)
        return
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }
  const everyMs = 20
  const startedAt = Date.now()
  const timer = setInterval(() => {
    const owed = ((Date.now() - startedAt) / 1000) * options.perSecond - count
    // After a pause of the machine the arrears are not made up for all at once.
    for (let n = 0; n < Math.min(owed, options.perSecond / 4); n++) {
      if (underWay.size > 500) break
      const sending = publish(`${options.idPrefix}-${count++}`)
      underWay.add(sending)
      void sending.finally(() => underWay.delete(sending))
    }
  }, everyMs)

  return {
    acceptedIds,
    async stop() {
      clearInterval(timer)
      const grace = setTimeout(() => {
        isStopped = true
      }, 10_000)
      await Promise.all(underWay)
      clearTimeout(grace)
      isStopped = true
    },
  }
}
