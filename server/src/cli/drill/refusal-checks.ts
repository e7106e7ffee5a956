import { isDeepStrictEqual } from 'node:util'
import { unknownKey } from '../../formats/secret-text.ts'
import type { PostAnswer } from '../post-delivery.ts'
import type { SignedDelivery } from '../signer.ts'
import {
  type Check,
  type CheckResult,
  describeAnswer,
  fail,
  isRefused,
  isTaken,
  pass,
  type Subject,
  unchecked,
} from './check.ts'

/** What a receiver must refuse. */
export const refusalChecks: readonly Check[] = [
  { name: 'wrong signature', run: (subject) => mustRefuse(subject, wronglySigned(subject)) },
  { name: 'no signature', run: (subject) => mustRefuse(subject, subject.deliver({ keys: [] })) },
  { name: 'changed body', run: (subject) => mustRefuse(subject, changed(subject)) },
  { name: 'changed spaces', run: checkSpaces },
  { name: 'old timestamp', run: (subject) => checkTime(subject, -staleMs, 'old') },
  { name: 'timestamp ahead', run: (subject) => checkTime(subject, staleMs, 'ahead') },
  { name: 'oversized', run: checkOversized },
]

/** Twice the tolerance of Standard Webhooks. */
const staleMs = 10 * 60_000
/** More than any sender sends. */
const oversizedBytes = 8 * 1024 * 1024

async function mustRefuse(
  subject: Subject,
  delivery: SignedDelivery,
): Promise<Omit<CheckResult, 'name'>> {
  const before = await subject.countEffects()
  const answer = await subject.post(delivery)
  if (isRefused(answer)) return pass(`Refused with ${answer.statusCode}.`)
  if (!isTaken(answer)) return notLookedAt(answer)
  const after = await subject.countEffects()
  if (before === null || after === null) {
    return fail('Taken: it does not verify, or it answers before it does.')
  }
  return fail(
    after === before
      ? 'Answered with 2xx before it was verified: the sender takes it for delivered.'
      : 'Taken, and it took effect: anybody can send it events.',
  )
}

function notLookedAt(answer: PostAnswer): Omit<CheckResult, 'name'> {
  return fail(`Answered ${describeAnswer(answer)}: a refusal is 401, or another 4xx.`)
}

function wronglySigned(subject: Subject): SignedDelivery {
  const { key } = subject
  const wrong = { id: key.id, ...unknownKey(key, subject.randomBytes) }
  return subject.deliver({ keys: [wrong] })
}

function changed(subject: Subject): SignedDelivery {
  const delivery = subject.deliver({ data: '{"total":100}' })
  const text = Buffer.from(delivery.body).toString('utf8')
  return { ...delivery, body: Buffer.from(text.replace('"total":100', '"total":999')) }
}

/** A receiver that parses and writes anew before it verifies does not see the difference. */
async function checkSpaces(subject: Subject): Promise<Omit<CheckResult, 'name'>> {
  const delivery = subject.deliver()
  const text = Buffer.from(delivery.body).toString('utf8')
  const spaced = { ...delivery, body: Buffer.from(`${text.slice(0, -1)} }`) }
  const answer = await subject.post(spaced)
  if (isRefused(answer)) return pass(`Refused with ${answer.statusCode}.`)
  if (!isTaken(answer)) return notLookedAt(answer)
  return fail('Taken: it verifies JSON that it wrote itself, not the bytes that came, or nothing.')
}

async function checkTime(
  subject: Subject,
  signedAfterMs: number,
  how: 'old' | 'ahead',
): Promise<Omit<CheckResult, 'name'>> {
  if (!signsTime(subject)) {
    return unchecked(`The format ${subject.signer.format.name} signs no time.`)
  }
  const answer = await subject.post(subject.deliver({ signedAfterMs }))
  if (isRefused(answer)) return pass(`Refused with ${answer.statusCode}.`)
  if (!isTaken(answer)) return notLookedAt(answer)
  return fail(
    how === 'old'
      ? 'Taken ten minutes late: who keeps a delivery can send it again. Refuse what is older than five minutes.'
      : 'Taken ten minutes early: what is signed for later can be sent again for that long.',
  )
}

/** Whether one body has other headers at another time. */
function signsTime({ signer, key }: Subject): boolean {
  const headersAt = (at: number) =>
    signer.headers({ id: 'evt_1', type: 'order.paid', body: Buffer.from('{}'), at, keys: [key] })
  return !isDeepStrictEqual(headersAt(0), headersAt(staleMs))
}

/** It may refuse or hang up; afterwards it must still serve. */
async function checkOversized(subject: Subject): Promise<Omit<CheckResult, 'name'>> {
  const delivery = wronglySigned(subject)
  const answer = await subject.post({ ...delivery, body: Buffer.alloc(oversizedBytes, 'x') })
  if (isTaken(answer)) return fail('A body of 8 MiB with a wrong signature was taken.')
  const next = await subject.post(subject.deliver())
  return isTaken(next)
    ? pass(`A body of 8 MiB was not taken (${describeAnswer(answer)}), and the next delivery was.`)
    : fail(`After a body of 8 MiB, a good delivery was not taken: ${describeAnswer(next)}.`)
}
