import assert from 'node:assert/strict'
import type { FieldError } from './errors.ts'
import { limits } from './limits.ts'
import { currentSecret, type Secret, type SecretAlgorithm } from './secret.ts'

/**
 * What an endpoint signs with at `now`: the algorithm of its current secret. It is stored nowhere
 * else, so that a staged, a cancelled and a forced change of algorithm all tell the truth.
 */
export function algorithmInForce(secrets: readonly Secret[], now: number): SecretAlgorithm {
  // None signs where the endpoint was deleted since it was read: its newest stands for them.
  const secret = currentSecret(secrets, now) ?? secrets[0]
  assert(secret !== undefined, 'an endpoint has a secret')
  return secret.algorithm
}

/** What a caller of rotate says of the moment at which the new secret begins to sign. */
export interface AskedActivation {
  now: number
  /** Of the new secret. */
  algorithm: SecretAlgorithm
  activateAt?: number | undefined
  expireCurrentInSeconds?: number | undefined
  force?: boolean | undefined
}

/**
 * When the new secret begins to sign; undefined: at once. Receivers keep the set of public keys for
 * a while, so a new one is published before it signs (rotation.md section 6). A forced cut waits
 * for nobody.
 */
export function chooseActivation(asked: AskedActivation): number | undefined {
  if (asked.algorithm !== 'ed25519' || asked.activateAt !== undefined) return asked.activateAt
  return isCut(asked) && asked.force ? undefined : asked.now + limits.keySetLeadMs
}

/** What is wrong with that moment for a public key; what is wrong with any, the window rules say. */
export function activationProblems(asked: AskedActivation): FieldError[] {
  const { now, algorithm, activateAt, force } = asked
  if (algorithm !== 'ed25519' || force) return []
  const isEarly =
    activateAt === undefined ? isCut(asked) : activateAt > now && activateAt < earliestAt(now)
  if (!isEarly) return []
  const minutes = limits.keySetLeadMs / 60_000
  const detail = `Receivers may keep the key set for ${limits.keySetMaxAgeSeconds / 60} minutes, so a public key signs ${minutes} minutes after it is published at the earliest. Give such a time, or send force: true.`
  return [{ param: 'activate_at', detail, code: 'too_early' }]
}

function earliestAt(now: number): number {
  return now + limits.keySetLeadMs
}

function isCut({ activateAt, expireCurrentInSeconds }: AskedActivation): boolean {
  return activateAt === undefined && expireCurrentInSeconds === 0
}
