import { unknownKey } from '../../formats/secret-text.ts'
import {
  type Check,
  type CheckResult,
  describeAnswer,
  fail,
  isTaken,
  pass,
  type Subject,
  unchecked,
} from './check.ts'

/** A whole rotation: before it, the overlap in both orders, and after it. */
export const rotationChecks: readonly Check[] = [
  { name: 'two signatures', run: checkTwoSignatures },
  { name: 'rotation: before', run: checkBefore },
  { name: 'rotation: both secrets sign', run: checkOverlap },
  { name: 'rotation: after', run: checkAfter },
]

const needsNewSecret =
  'Deploy the receiver with two secrets, and name the second with --new-secret-from.'

/** Of two signatures one holds: a receiver must look at each of them. */
async function checkTwoSignatures(subject: Subject): Promise<Omit<CheckResult, 'name'>> {
  const { key, signer } = subject
  if (signer.format.signaturesMax < 2) {
    return unchecked(`The format ${signer.format.name} carries one signature.`)
  }
  const other = { id: 'other', ...unknownKey(key, subject.randomBytes) }
  const first = await subject.post(subject.deliver({ keys: [key, other] }))
  const second = await subject.post(subject.deliver({ keys: [other, key] }))
  if (isTaken(first) && isTaken(second)) return pass('It looks at each signature.')
  const which = isTaken(first) ? 'first' : isTaken(second) ? 'last' : null
  return fail(
    which === null
      ? `Two signatures were refused (${describeAnswer(first)}): split the header at its separator.`
      : `It looks at the ${which} signature only: during a rotation, the one that it can verify may stand elsewhere.`,
  )
}

async function checkBefore(subject: Subject): Promise<Omit<CheckResult, 'name'>> {
  if (subject.newKey === null) return unchecked(needsNewSecret)
  const answer = await subject.post(subject.deliver({ keys: [subject.key] }))
  return isTaken(answer)
    ? pass('Signed with the old secret alone: taken.')
    : fail(
        `Signed with the old secret alone: ${describeAnswer(answer)}. Keep it until the window is over.`,
      )
}

async function checkOverlap(subject: Subject): Promise<Omit<CheckResult, 'name'>> {
  const { key, newKey, signer } = subject
  if (newKey === null) return unchecked(needsNewSecret)
  if (signer.format.signaturesMax < 2) {
    return unchecked(
      `The format ${signer.format.name} carries one signature: the change is at one instant.`,
    )
  }
  const answer = await subject.post(subject.deliver({ keys: [newKey, key] }))
  return isTaken(answer)
    ? pass('Signed with both, the new one first: taken.')
    : fail(
        `Signed with both, the new one first: ${describeAnswer(answer)}. Take a delivery of which one signature holds.`,
      )
}

async function checkAfter(subject: Subject): Promise<Omit<CheckResult, 'name'>> {
  const { newKey } = subject
  if (newKey === null) return unchecked(needsNewSecret)
  const answer = await subject.post(subject.deliver({ keys: [newKey] }))
  return isTaken(answer)
    ? pass('Signed with the new secret alone: taken.')
    : fail(
        `Signed with the new secret alone: ${describeAnswer(answer)}. It has the old secret only: when the window ends, it refuses everything.`,
      )
}
