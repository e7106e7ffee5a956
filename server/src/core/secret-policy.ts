import type { CompleteWhen } from './rotation.ts'
import type { SecretAlgorithm } from './secret.ts'

/* How old a secret may become, and what happens to one that is older (rotation.md section 7). */

export const policyActions = ['notify', 'rotate'] as const
export type PolicyAction = (typeof policyActions)[number]

export interface SecretPolicy {
  /** Null: secrets may become as old as they like. */
  maxAgeDays: number | null
  action: PolicyAction
  expireCurrentInSeconds: number
  completeWhen: CompleteWhen
}

/** What a project says over the default of the instance, member by member. */
export type SecretPolicyOverride = Partial<SecretPolicy>

export function effectivePolicy(
  instance: SecretPolicy,
  override: SecretPolicyOverride | undefined,
): SecretPolicy {
  return { ...instance, ...override }
}

const DAY_MS = 86_400_000

/** When a secret made at `createdAt` is over its age; null: never. */
export function overAgeAt(createdAt: number, { maxAgeDays }: SecretPolicy): number | null {
  return maxAgeDays === null ? null : createdAt + maxAgeDays * DAY_MS
}

export function isOverAge(createdAt: number, policy: SecretPolicy, now: number): boolean {
  const at = overAgeAt(createdAt, policy)
  return at !== null && at <= now
}

/** What decides whether the server can rotate by itself. */
export interface HandOverFacts {
  algorithm: SecretAlgorithm
  signaturesMax: number
  hasProbe: boolean
  completeWhen: CompleteWhen
  hasPublicUrl: boolean
}

export type PolicyObstacle =
  | 'public_url_missing'
  | 'format_carries_one_signature'
  | 'format_has_no_probe'

/**
 * Why the policy cannot rotate a secret; null: it can. A public key needs nobody's hand. A shared
 * secret goes by claim link, and with one signature the old one would stop whether or not somebody
 * has claimed the new one.
 */
export function policyObstacle(facts: HandOverFacts): PolicyObstacle | null {
  if (facts.completeWhen === 'verified' && !facts.hasProbe) return 'format_has_no_probe'
  if (facts.algorithm === 'ed25519') return null
  if (!facts.hasPublicUrl) return 'public_url_missing'
  return facts.signaturesMax === 1 ? 'format_carries_one_signature' : null
}

/** A sentence for whoever asked for the policy, or reads why nothing happened. */
export const obstacleSentences: Record<PolicyObstacle, string> = {
  public_url_missing:
    'Its secret is a shared one, so a new one must go by claim link, which needs COUNTERSIGN_PUBLIC_URL.',
  format_carries_one_signature:
    'Its format carries one signature, so the old secret would stop whether or not the new one was claimed.',
  format_has_no_probe:
    'Its format has no probe, so nothing could prove the new secret: let complete_when be expiry.',
}
