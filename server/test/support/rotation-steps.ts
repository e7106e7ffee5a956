import fc from 'fast-check'
import {
  ownSecrets,
  type ReceiverKind,
  type RotateWish,
  receiverKinds,
  type WindowWish,
} from './rotation-reference.ts'

/* Random acts upon the secrets of one endpoint, and what may happen between them. */

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

export type Step =
  | ({ do: 'rotate' } & RotateWish)
  | ({ do: 'window' } & WindowWish)
  | { do: 'pass'; minutes: number }
  | { do: 'receiver'; kind: ReceiverKind }
  | { do: 'complete' | 'cancel'; force: boolean }
  | { do: 'claim'; isStale: boolean }
  | { do: 'report'; which: 'new' | 'old' }
  | { do: 'refuse' | 'verify' | 'revoke' | 'announce' | 'restart' | 'reissue' | 'dispute' }

export const rotateStep = fc.record({
  do: fc.constant('rotate' as const),
  seconds: mostlyNot(null, 0, 60, 3600, 7200, 7200, 20_000),
  stagedMs: fc.constantFrom(0, 0, 0, MINUTE_MS, 3 * HOUR_MS),
  isVerified: fc.boolean(),
  force: fc.boolean(),
  isClaimed: fc.constantFrom(true, false, false),
  algorithm: fc.constantFrom(null, null, null, 'hmac-sha256' as const, 'ed25519' as const),
  own: fc.oneof(
    { weight: 4, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constantFrom(...ownSecrets) },
  ),
  expected: mostlyNot('first' as const, null, null, null, 'current' as const),
  reason: fc.constantFrom(null, 'a leak'),
})

export const receiverStep = fc.record({
  do: fc.constant('receiver' as const),
  kind: fc.constantFrom(...receiverKinds),
})

const windowStep = fc.record({
  do: fc.constant('window' as const),
  seconds: fc.constantFrom(null, null, 0, 60, 3600, 20_000),
  endsInMs: fc.constantFrom(null, null, null, null, 0, MINUTE_MS, 4 * HOUR_MS),
  completeWhen: fc.constantFrom(null, null, null, 'expiry' as const, 'verified' as const),
})

export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: rotateStep },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      minutes: fc.constantFrom(1, 14, 16, 59, 61, 200, 500),
    }),
  },
  { weight: 2, arbitrary: receiverStep },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('complete' as const, 'cancel' as const),
      force: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: windowStep },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('claim' as const), isStale: mostlyNot(true, false) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('report' as const),
      which: fc.constantFrom('new' as const, 'old' as const),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom(
        ...(['refuse', 'verify', 'revoke', 'announce', 'restart', 'reissue', 'dispute'] as const),
      ),
    }),
  },
)

/** The first of these now and then, else one of the others. */
function mostlyNot<Rare, Usual>(rare: Rare, ...usual: Usual[]): fc.Arbitrary<Rare | Usual> {
  return fc.oneof(
    { weight: 1, arbitrary: fc.constant(rare) },
    { weight: 5, arbitrary: fc.constantFrom(...usual) },
  )
}
