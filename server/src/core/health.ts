/** How an endpoint's deliveries are going; kept in the store with the endpoint. */
export interface Health {
  health: 'healthy' | 'failing' | 'blocked'
  /** Failed attempts since the last success. */
  consecutiveFailures: number
  lastSuccessAt: number | null
  lastFailureAt: number | null
  /** The first failure after the last success; null while there is none. */
  failingSince: number | null
  /** Answers 401 or 403 since the receiver last answered otherwise; no answer is no other one. */
  rejectionsInARow: number
  /** The first of them; null while there is none. */
  rejectingSince: number | null
  /** The last 401 or 403, whatever followed. */
  lastRejectionAt: number | null
}

/** What became of one attempt, as far as health goes. */
export interface AttemptOutcome {
  succeeded: boolean
  /** The delivery failed for good with this attempt. */
  exhausted: boolean
  /** Null where there was no answer. */
  statusCode: number | null
  at: number
}

/** A run of answers 401 or 403 of a receiver that had taken deliveries before. */
export interface Spike {
  /** When the first of them came. */
  at: number
  answers: number
}

/** What an endpoint has become; null when its health is what it was. */
export type HealthTransition = 'failing' | 'recovered' | 'blocked' | null

/** Failures in a row that make an endpoint failing (delivery.md, Health). */
export const FAILING_AFTER_FAILURES = 5

/** Failures in a row without which an endpoint is not blocked, however long it fails. */
export const BLOCKED_AFTER_FAILURES_MIN = 10

/** Answers 401 or 403 in a row that make a spike (rotation.md section 5, Hold). */
export const SPIKE_REJECTIONS = 3

/** The health of a new endpoint. */
export const newEndpointHealth: Readonly<Health> = {
  health: 'healthy',
  consecutiveFailures: 0,
  lastSuccessAt: null,
  lastFailureAt: null,
  failingSince: null,
  rejectionsInARow: 0,
  rejectingSince: null,
  lastRejectionAt: null,
}

/**
 * Takes the outcomes of attempts into account, in the order in which they were recorded (delivery.md,
 * Health): failing at the first exhausted delivery or the fifth failure in a row; blocked when nothing
 * has succeeded for `blockAfterMs` and at least ten attempts have failed; healthy at any success. The
 * transition is from `current` to the end, so a success that follows a failure in one batch hides it.
 *
 * "For `blockAfterMs`" counts from the first failure, not from the last success: an endpoint that got
 * nothing for a week is not blocked by its first bad minute.
 *
 * `spike` is the last run of refusals, of a receiver that had succeeded before, that grew here and is
 * long enough. It stands although a success followed: the same answers mean the same however they
 * were batched, and of two receivers behind one URL one may go on refusing.
 */
export function nextHealth(
  current: Health,
  outcomes: readonly AttemptOutcome[],
  options: { blockAfterMs: number },
): { health: Health; transition: HealthTransition; spike: Spike | null } {
  let health = current
  let spike: Spike | null = null
  for (const outcome of outcomes) {
    const next = outcome.succeeded
      ? afterSuccess(health, outcome)
      : afterFailure(health, outcome, options.blockAfterMs)
    health = { ...next, ...rejectionsAfter(health, outcome) }
    if (isRejection(outcome.statusCode)) spike = spikeOf(health) ?? spike
  }
  return { health, transition: transitionBetween(current, health), spike }
}

/**
 * The health of an endpoint that is switched on again: with the count begun anew, so that it gets
 * the full time before it is blocked. One that was blocked is failing until something succeeds.
 */
export function switchedOn(current: Health): Health {
  const health = current.health === 'blocked' ? 'failing' : current.health
  return { ...current, health, consecutiveFailures: 0, failingSince: null }
}

/** True where the receiver refused to take the request as ours. */
function isRejection(statusCode: number | null): boolean {
  return statusCode === 401 || statusCode === 403
}

function rejectionsAfter(
  health: Health,
  { statusCode, at }: AttemptOutcome,
): Pick<Health, 'rejectionsInARow' | 'rejectingSince' | 'lastRejectionAt'> {
  const { rejectionsInARow, rejectingSince, lastRejectionAt } = health
  if (statusCode === null) return { rejectionsInARow, rejectingSince, lastRejectionAt }
  if (!isRejection(statusCode)) {
    return { rejectionsInARow: 0, rejectingSince: null, lastRejectionAt }
  }
  return {
    rejectionsInARow: rejectionsInARow + 1,
    rejectingSince: rejectingSince ?? at,
    lastRejectionAt: latest(lastRejectionAt, at),
  }
}

function spikeOf({ rejectionsInARow, rejectingSince, lastSuccessAt }: Health): Spike | null {
  if (rejectionsInARow < SPIKE_REJECTIONS || lastSuccessAt === null) return null
  return rejectingSince === null ? null : { at: rejectingSince, answers: rejectionsInARow }
}

function afterSuccess(health: Health, outcome: AttemptOutcome): Health {
  return {
    ...health,
    health: 'healthy',
    consecutiveFailures: 0,
    lastSuccessAt: latest(health.lastSuccessAt, outcome.at),
    failingSince: null,
  }
}

function afterFailure(health: Health, outcome: AttemptOutcome, blockAfterMs: number): Health {
  const consecutiveFailures = health.consecutiveFailures + 1
  const failingSince = health.failingSince ?? outcome.at
  const isBlocked =
    health.health === 'blocked' ||
    (consecutiveFailures >= BLOCKED_AFTER_FAILURES_MIN && outcome.at - failingSince >= blockAfterMs)
  const isFailing =
    health.health === 'failing' ||
    outcome.exhausted ||
    consecutiveFailures >= FAILING_AFTER_FAILURES
  return {
    ...health,
    health: isBlocked ? 'blocked' : isFailing ? 'failing' : 'healthy',
    consecutiveFailures,
    lastFailureAt: latest(health.lastFailureAt, outcome.at),
    failingSince,
  }
}

/** Attempts end in another order than they began, so a result can be older than the one before. */
function latest(known: number | null, at: number): number {
  return known === null ? at : Math.max(known, at)
}

function transitionBetween(before: Health, after: Health): HealthTransition {
  if (before.health === after.health) return null
  return after.health === 'healthy' ? 'recovered' : after.health
}
