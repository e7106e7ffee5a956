/**
 * Lets so many requests begin in one turn of the event loop; the others wait for the next turns, in
 * the order in which they came. Without it, a thousand requests that arrive together would all be
 * worked on before an answer of the store, or news from the sender, is looked at.
 */
export interface Turns {
  /** Calls `begin` now or in a later turn. */
  enter(begin: () => void): void
}

export function createTurns({ requestsMax }: { requestsMax: number }): Turns {
  /** How many have begun in this turn; null: no turn is under way. */
  let begun: number | null = null
  let waiting: (() => void)[] = []

  const nextTurn = () => {
    const now = waiting.slice(0, requestsMax)
    waiting = waiting.slice(requestsMax)
    begun = now.length === 0 ? null : now.length
    if (begun !== null) setImmediate(nextTurn)
    for (const begin of now) begin()
  }

  return {
    enter(begin) {
      if (begun === null) {
        begun = 0
        setImmediate(nextTurn)
      }
      if (begun >= requestsMax || waiting.length > 0) {
        waiting.push(begin)
        return
      }
      begun++
      begin()
    },
  }
}
