/** An attempt whose answer somebody waits for, and which may not be signed for the moment. */
export interface HeldAttempt {
  endpointId: string
  /** False where it would end too late. */
  hasTime(): boolean
  goOn(): void
  giveUp(): void
}

/**
 * Holds what was asked for by somebody who waits, while what is known of its endpoint is too old to be
 * signed with (rotation.md section 2). Other deliveries go back to the store in that case; whoever
 * waits would be told that nothing was sent, though the news come within the second.
 */
export interface HeldAttempts {
  readonly size: number
  hold(attempt: HeldAttempt): void
  /** Goes on with those that may, and gives up those that have no time left. */
  look(): void
  giveUpAll(): void
}

/** `mayGoOn`: true as soon as something can be made of attempts to the endpoint. */
export function createHeldAttempts(mayGoOn: (endpointId: string) => boolean): HeldAttempts {
  let held: HeldAttempt[] = []
  return {
    get size() {
      return held.length
    },
    hold: (attempt) => void held.push(attempt),
    look() {
      if (held.length === 0) return
      const looked = held
      // What goes on may have to be held again.
      held = []
      for (const attempt of looked) {
        if (!attempt.hasTime()) attempt.giveUp()
        else if (mayGoOn(attempt.endpointId)) attempt.goOn()
        else held.push(attempt)
      }
    },
    giveUpAll() {
      for (const attempt of held.splice(0)) attempt.giveUp()
    },
  }
}
