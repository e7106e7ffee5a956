import { AppError, type FieldError, invalidFields } from './errors.ts'
import { limits } from './limits.ts'
import type { CompleteWhen } from './rotation.ts'

/** What decides how long two secrets may sign side by side. */
export interface WindowRules {
  now: number
  /** How many signatures the endpoint's format carries in one request. */
  signaturesMax: number
  /** The endpoint is signed to, in a format that has a probe. */
  canProbe: boolean
  bounds: { expireCurrentInMinSeconds: number; expireCurrentInMaxSeconds: number }
}

/** What a caller of rotate says of time. */
export interface AskedWindow {
  /** Seconds of overlap, from activation. */
  expireCurrentInSeconds?: number | undefined
  activateAt?: number | undefined
  completeWhen?: CompleteWhen | undefined
  /** The new secret goes by claim link: the overlap begins when it is claimed. */
  isClaimed?: boolean | undefined
}

/** Every value at fault by itself; a format with one signature is another matter. */
export function windowProblems(rules: WindowRules, asked: AskedWindow): FieldError[] {
  const { now, signaturesMax } = rules
  const { activateAt, expireCurrentInSeconds: seconds } = asked
  const problems: FieldError[] = []
  if (activateAt !== undefined) {
    const detail =
      activateAt <= now
        ? 'This lies in the past; give a time ahead.'
        : activateAt > now + limits.activateAheadMaxMs
          ? 'This is more than 30 days ahead.'
          : null
    if (detail !== null) problems.push({ param: 'activate_at', detail, code: 'invalid_value' })
  }
  if (asked.completeWhen === 'verified') problems.push(...proofProblems(rules, seconds))
  if (asked.isClaimed === true) problems.push(...claimProblems(rules, asked))
  if (seconds !== undefined && signaturesMax > 1) {
    problems.push(...boundsProblems(rules, seconds, 'expire_current_in'))
  }
  return problems
}

/** Seconds of overlap, from activation. Defaults count from now, never from a stored window. */
export function chooseWindow(rules: WindowRules, asked: AskedWindow): number {
  const { bounds, signaturesMax } = rules
  const { activateAt, expireCurrentInSeconds: seconds } = asked
  const problems = windowProblems(rules, asked)
  if (problems.length > 0) throw invalidFields(problems)
  if (signaturesMax === 1) {
    const isCutAtActivation = activateAt !== undefined && seconds === undefined
    if (!isCutAtActivation && seconds !== 0) throw oneSignature('expire_current_in')
    return 0
  }
  if (seconds !== undefined) return seconds
  const lowest = Math.max(limits.expireCurrentInDefaultSeconds, bounds.expireCurrentInMinSeconds)
  return Math.min(lowest, bounds.expireCurrentInMaxSeconds)
}

/** Throws unless an open window may last `seconds`. */
export function checkWindow(rules: WindowRules, seconds: number, param: string): void {
  const problems = boundsProblems(rules, seconds, param)
  if (problems.length > 0) throw invalidFields(problems)
  if (rules.signaturesMax === 1 && seconds > 0) throw oneSignature(param)
}

/** Why the secret before cannot wait for the claim. */
export function claimProblems({ signaturesMax }: WindowRules, asked: AskedWindow): FieldError[] {
  if (signaturesMax === 1) {
    if (asked.activateAt !== undefined) return []
    const detail =
      'The format of this endpoint carries one signature, so with a claim link it must be said when the new secret takes over.'
    return [{ param: 'activate_at', detail, code: 'missing' }]
  }
  if (asked.expireCurrentInSeconds !== 0) return []
  const detail =
    'With a claim link the overlap begins when the secret is claimed, so it must be above 0.'
  return [{ param: 'expire_current_in', detail, code: 'invalid_value' }]
}

/** Why proof cannot be waited for. */
export function proofProblems(rules: WindowRules, seconds: number | undefined): FieldError[] {
  const problems: FieldError[] = []
  if (rules.signaturesMax === 1 || !rules.canProbe) {
    const detail = !rules.canProbe
      ? 'This endpoint cannot be probed: its format has no probe, or signing is switched off. Use expiry.'
      : 'The format of this endpoint carries one signature, so there is no time in which both secrets sign. Use expiry.'
    problems.push({ param: 'complete_when', detail, code: 'not_verifiable' })
  }
  if (seconds === 0) {
    const detail =
      'With complete_when: verified this is when you are warned, so it must be above 0.'
    problems.push({ param: 'expire_current_in', detail, code: 'invalid_value' })
  }
  return problems
}

function boundsProblems({ bounds }: WindowRules, seconds: number, param: string): FieldError[] {
  const { expireCurrentInMinSeconds: min, expireCurrentInMaxSeconds: max } = bounds
  if (seconds >= min && seconds <= max) return []
  const detail = `The overlap must be between ${min} and ${max} seconds.`
  return [{ param, detail, code: 'out_of_range' }]
}

function oneSignature(param: string): AppError {
  return new AppError('format_carries_one_signature', {
    detail:
      'This format has room for one signature, so two secrets cannot sign side by side. Send expire_current_in: 0 to cut over now, or activate_at to cut over at that time.',
    param,
    errors: [
      {
        param,
        detail: 'Must be 0 (cut now), or be left out together with activate_at.',
        code: 'format_carries_one_signature',
      },
    ],
  })
}
