import { AppError, invalidField } from '../core/errors.ts'
import { looksLikeId } from '../core/ids.ts'
import { limits } from '../core/limits.ts'
import type { Reads } from '../storage/storage.ts'

const uidPattern = /^[A-Za-z0-9._~:@+-]+$/

/** What is wrong with a caller's own identifier, as a sentence; null when it is right. */
export function uidProblem(uid: string): string | null {
  if (uid.length === 0 || uid.length > limits.uidLengthMax) {
    return `Must be 1 to ${limits.uidLengthMax} characters long.`
  }
  if (!uidPattern.test(uid)) return 'May hold letters, digits and . _ ~ : @ + - only.'
  if (uid === '.' || uid === '..') return 'Must not be a path segment with a meaning of its own.'
  if (looksLikeId(uid)) return 'Must not begin like one of our own ids (prj_, ep_, evt_ and so on).'
  return null
}

/** Throws unless the uid is well-formed and free among projects. */
export async function refuseTakenProjectUid(
  reads: Reads,
  uid: string | null,
  ownProjectId: string | null,
): Promise<void> {
  if (uid === null) return
  const problem = uidProblem(uid)
  if (problem !== null) throw invalidField('uid', problem)
  const holder = await reads.getProject(uid)
  if (holder !== null && holder.id !== ownProjectId) throw uidTaken('project', uid)
}

export function uidTaken(what: string, uid: string): AppError {
  return new AppError('uid_taken', { detail: `Another ${what} has the uid ${uid}.`, param: 'uid' })
}
