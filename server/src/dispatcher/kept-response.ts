import type { AttemptResponse } from '../core/delivery.ts'
import { limits } from '../core/limits.ts'
import type { ReceivedResponse } from './response-record.ts'

/** What stands in a stored request or response in place of a custom header's value. */
export const maskedValue = '***'

/** What of a header value may come back in a response: never to be stored. Longest first. */
export type Echoes = readonly string[]

/**
 * The values of an endpoint's custom headers, and each word of them (`Bearer <token>` comes back
 * without its first word), as they are and as JSON writes them.
 */
export function echoesOf(custom: Readonly<Record<string, string>>): Echoes {
  const texts = Object.values(custom)
    .flatMap((value) => [value.trim(), ...value.split(/[\t ]+/)])
    .filter((text) => text.length >= echoedLengthMin)
  const spellings = texts.flatMap((text) => {
    const json = JSON.stringify(text).slice(1, -1)
    // PHP writes a slash in this way.
    return [text, json, json.replaceAll('/', '\\/')]
  })
  // The longest first: a shorter one inside it would leave the rest of it unmasked.
  return [...new Set(spellings)].sort((a, b) => b.length - a.length).slice(0, echoesMax)
}

/**
 * What is stored of a response: at most `responseBodyKeptBytes` of valid text, without `echoes`. Not
 * even the beginning of one is left where the text ends, for that may be in the middle of it.
 */
export function keptResponse(
  received: ReceivedResponse,
  options: { echoes: Echoes; isBrokenOff: boolean },
): AttemptResponse {
  const { echoes, isBrokenOff } = options
  const whole = masked(textOf(received.body, isBrokenOff || received.bodyTruncated), echoes)
  const body = firstBytes(whole, limits.responseBodyKeptBytes)
  return {
    statusCode: received.statusCode,
    headers: echoes.length === 0 ? received.headers : maskedHeaders(received.headers, echoes),
    body: withoutBegunEcho(body, echoes),
    bodyTruncated: received.bodyTruncated || body.length < whole.length,
  }
}

/**
 * Room for every value of an endpoint, with a scheme before it, in each spelling. Values of very many
 * words would keep the thread that sends for everybody busy for a tenth of a second an attempt.
 */
const echoesMax = 200

/** Shorter texts are no secrets, and would be masked all over a response. */
const echoedLengthMin = 8

/** So much of an echo's beginning may be left at an end: it tells little, and stands there by chance. */
const begunEchoLengthMax = 3

function textOf({ buffer, byteOffset, byteLength }: Uint8Array, isCut: boolean): string {
  const bytes = Buffer.from(buffer, byteOffset, byteLength)
  return isCut ? withoutCutCharacter(bytes) : bytes.toString('utf8')
}

/** A character that was cut in two is no broken one: its first part is left out. */
function withoutCutCharacter(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes, { stream: true })
}

/** Bytes that are not UTF-8 take three as text, so what was within the bound may exceed it. */
function firstBytes(text: string, bytesMax: number): string {
  if (Buffer.byteLength(text) <= bytesMax) return text
  return withoutCutCharacter(Buffer.from(text).subarray(0, bytesMax))
}

/** Receivers for trying things out send back what they were sent. */
function masked(text: string, echoes: Echoes): string {
  return echoes.reduce((rest, echo) => rest.replaceAll(echo, maskedValue), text)
}

function maskedHeaders(headers: Record<string, string>, echoes: Echoes): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]) => [name, masked(value, echoes)])
  return Object.fromEntries(entries)
}

function withoutBegunEcho(text: string, echoes: Echoes): string {
  let end = text.length
  for (const echo of echoes) {
    const beginning = echo.slice(0, begunEchoLengthMax + 1)
    const from = Math.max(0, text.length - echo.length)
    for (let at = text.indexOf(beginning, from); at >= 0; at = text.indexOf(beginning, at + 1)) {
      if (!echo.startsWith(text.slice(at))) continue
      end = Math.min(end, at)
      break
    }
  }
  return end === text.length ? text : text.slice(0, end) + maskedValue
}
