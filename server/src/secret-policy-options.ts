import type { Option } from './config.ts'
import { limits } from './core/limits.ts'
import { type CompleteWhen, completeWhenValues } from './core/rotation.ts'
import { type PolicyAction, policyActions } from './core/secret-policy.ts'
import { oneOf, orNull, wholeNumber } from './option-kinds.ts'

/** The rows of the table of options that say how old secrets may become, and what happens then. */
export const secretPolicyOptions = {
  secretMaxAgeDays: {
    variable: 'COUNTERSIGN_SECRET_MAX_AGE_DAYS',
    kind: orNull(wholeNumber({ min: 1, max: limits.secretAgeMaxDays })),
    absent: { value: null, means: 'any age' },
    sentence: 'Days after which a secret is over its age, unless a project says otherwise.',
  } satisfies Option<number | null>,
  secretOverAgeAction: {
    variable: 'COUNTERSIGN_SECRET_OVER_AGE_ACTION',
    kind: oneOf(policyActions),
    default: 'notify',
    sentence:
      'What happens to a secret over its age: an operational event once, or a rotation; shared secrets then go by claim link.',
  } satisfies Option<PolicyAction>,
  secretExpireCurrentInSeconds: {
    variable: 'COUNTERSIGN_SECRET_EXPIRE_CURRENT_IN',
    kind: wholeNumber({ min: 1, max: limits.expireCurrentInMaxSeconds }),
    default: `${limits.expireCurrentInDefaultSeconds}`,
    sentence: 'Seconds of overlap of such a rotation.',
  } satisfies Option<number>,
  secretCompleteWhen: {
    variable: 'COUNTERSIGN_SECRET_COMPLETE_WHEN',
    kind: oneOf(completeWhenValues),
    default: 'expiry',
    sentence: 'What ends such a rotation.',
  } satisfies Option<CompleteWhen>,
}
