import { createHmac } from 'node:crypto'
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

/** What a receiver must take. The first is what all others rest on. */
export const acceptanceChecks: readonly Check[] = [
  { name: 'good delivery', run: checkGood },
  { name: 'exact bytes', run: checkExactBytes },
  { name: 'text beyond ASCII', run: checkText },
  { name: 'large delivery', run: checkLarge },
  { name: 'slow delivery', run: checkSlow },
  { name: 'same delivery twice', run: checkTwice },
]

/** Far above what most events have, and within the smallest limits that frameworks set. */
const largeBytes = 64 * 1024

async function checkGood(subject: Subject): Promise<Omit<CheckResult, 'name'>> {
  const answer = await subject.post(subject.deliver())
  const { statusCode } = answer
  if (isTaken(answer)) return pass(`Taken with ${statusCode} in ${answer.durationMs} ms.`)
  if (answer.error === 'timeout') {
    return fail(
      `No answer within ${subject.answerWithinMs} ms: answer first and work afterwards, or senders give up and try again.`,
    )
  }
  if (statusCode === null) return fail(`It cannot be reached: ${answer.error}.`)
  if (statusCode >= 300 && statusCode < 400) {
    return fail(`It redirects (${statusCode}), which senders do not follow: register the last URL.`)
  }
  const wrong = await findWrongEncoding(subject)
  return fail(wrong ?? `Refused with ${statusCode}: is it the right secret, and the right format?`)
}

/** Tries the usual mistakes with a key; a receiver that takes one of them has made it. */
async function findWrongEncoding(subject: Subject): Promise<string | null> {
  const { key, secret, signer } = subject
  if (key.algorithm !== 'hmac-sha256') return null
  const bare = secret.replace(/^whsec_/, '')
  const mistakes = [
    ['the whole text of the secret', Buffer.from(secret)],
    ['the text of the secret without its prefix', Buffer.from(bare)],
    ['what the text decodes to as base64', Buffer.from(bare, 'base64')],
    ['what the text decodes to as hex', Buffer.from(bare, 'hex')],
  ] as const
  for (const [what, keyBytes] of mistakes) {
    if (keyBytes.length === 0 || keyBytes.equals(key.keyBytes)) continue
    const answer = await subject.post(subject.deliver({ keys: [{ ...key, keyBytes }] }))
    if (isTaken(answer)) {
      return `Wrong encoding: it signs with ${what}, which is not the key in the format ${signer.format.name}.`
    }
  }
  const answer = await subject.post(withOtherText(subject))
  return isTaken(answer)
    ? 'Wrong encoding: it compares the signature in another text form, hex in place of base64.'
    : null
}

/** The right signature of Standard Webhooks, written in hex. */
function withOtherText(subject: Subject) {
  const { key } = subject
  const delivery = subject.deliver()
  const id = delivery.headers['webhook-id']
  if (id === undefined || key.algorithm !== 'hmac-sha256') return delivery
  const mac = createHmac('sha256', key.keyBytes)
    .update(`${id}.${delivery.headers['webhook-timestamp']}.`)
    .update(delivery.body)
  const signature = `v1,${mac.digest('hex')}`
  return { ...delivery, headers: { ...delivery.headers, 'webhook-signature': signature } }
}

/** JSON that no serialiser writes again as it was: spaces, an escape, a number with a zero. */
async function checkExactBytes(subject: Subject): Promise<Omit<CheckResult, 'name'>> {
  const data = '{ "total" : 10.0,  "name": "caf\\u00e9", "b": 1, "a": 2 }'
  const answer = await subject.post(subject.deliver({ data }))
  return isTaken(answer)
    ? pass('Verified over the bytes as they came.')
    : fail(
        `Refused with ${describeAnswer(answer)}: verify the raw body, before any parsing. JSON that was parsed and written again has other bytes.`,
      )
}

async function checkText(subject: Subject): Promise<Omit<CheckResult, 'name'>> {
  const answer = await subject.post(subject.deliver({ data: '{"name":"Žofie ✓ 你好 🚀"}' }))
  return isTaken(answer)
    ? pass('Taken.')
    : fail(
        `Refused with ${describeAnswer(answer)}: wrong encoding, bodies are UTF-8. Sign bytes, not text.`,
      )
}

async function checkLarge(subject: Subject): Promise<Omit<CheckResult, 'name'>> {
  const data = JSON.stringify({ text: 'x'.repeat(largeBytes) })
  const answer = await subject.post(subject.deliver({ data }))
  return isTaken(answer)
    ? pass('A body of 64 KiB was taken.')
    : fail(`A body of 64 KiB was not taken: ${describeAnswer(answer)}. Events may have 256 KiB.`)
}

async function checkSlow(subject: Subject): Promise<Omit<CheckResult, 'name'>> {
  const pauseMs = Math.min(250, subject.answerWithinMs / 16)
  const answer = await subject.post(subject.deliver(), { inParts: { count: 4, pauseMs } })
  return isTaken(answer)
    ? pass('A body that came in parts was taken.')
    : fail(
        `A body that came in parts was not taken: ${describeAnswer(answer)}. Read it to its end.`,
      )
}

/** Senders deliver at least once: the same event comes again after an answer that was lost. */
async function checkTwice(subject: Subject): Promise<Omit<CheckResult, 'name'>> {
  const before = await subject.countEffects()
  const delivery = subject.deliver()
  const first = await subject.post(delivery)
  const second = await subject.post(delivery)
  if (!isTaken(first) || !isTaken(second)) {
    return fail(
      `Answered ${describeAnswer(first)}, then ${describeAnswer(second)}: take an event that you have had with 2xx, or it comes again and again.`,
    )
  }
  const after = await subject.countEffects()
  if (before === null || after === null) {
    return unchecked(
      'Both were taken. Whether the event took effect once cannot be seen from outside: name an address that answers how many took effect, with --effects-url.',
    )
  }
  const effects = after - before
  if (effects === 1) return pass('Both were taken, and the event took effect once.')
  return fail(
    effects === 0
      ? 'Both were taken, and the event took no effect.'
      : `Both were taken, and the event took effect ${effects} times: remember the ids of events that you have had.`,
  )
}
