import { isRotationOpen, type Rotation } from './rotation.ts'
import type { SecretAlgorithm } from './secret.ts'
import { isOverAge, type SecretPolicy, type SecretPolicyOverride } from './secret-policy.ts'

/** What keeps an endpoint from being done with: each is somebody's to act upon. */
export const blockers = [
  'over_age',
  'rotation_held',
  'rotation_attention',
  'rotation_unclaimed',
  'unverifying',
] as const
export type Blocker = (typeof blockers)[number]

/** One endpoint of the fleet, with its newest secret: the one that is not set to end. */
export interface FleetEntry {
  projectId: string
  projectName: string
  /** What its project says over the default of the instance. */
  policyOverride: SecretPolicyOverride | undefined
  endpointId: string
  endpointUid: string | null
  url: string
  format: string
  unverifyingSince: number | null
  secretId: string
  algorithm: SecretAlgorithm
  secretCreatedAt: number
  /** When it was last told, or tried to rotate, because the secret is over its age. */
  overAgeToldAt: number | null
  /** The newest rotation that no act has ended; it may be over by its time. */
  rotation: Rotation | null
}

/** In the order of the table. */
export function blockersOf(entry: FleetEntry, policy: SecretPolicy, now: number): Blocker[] {
  const { rotation } = entry
  const open = rotation !== null && isRotationOpen(rotation, now) ? rotation : null
  const found: Record<Blocker, boolean> = {
    over_age: isOverAge(entry.secretCreatedAt, policy, now),
    rotation_held: (open?.heldAt ?? null) !== null,
    rotation_attention: (open?.attention ?? null) !== null,
    rotation_unclaimed: (open?.unclaimedWindowSeconds ?? null) !== null,
    unverifying: entry.unverifyingSince !== null,
  }
  return blockers.filter((blocker) => found[blocker])
}
