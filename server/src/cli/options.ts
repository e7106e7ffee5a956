import { readFileSync } from 'node:fs'
import { InvalidArgumentError, Option } from 'commander'
import { parseDuration } from '../core/duration.ts'
import type { CommandContext } from './command-context.ts'
import { UsageError } from './usage-error.ts'

/** An option of a command; `read` throws what `commander` tells the user. */
export function option(flags: string, help: string, read?: (text: string) => unknown): Option {
  const made = new Option(flags, help)
  return read === undefined ? made : made.argParser(read)
}

/** An option that takes one of these words. */
export function choice(flags: string, help: string, words: readonly string[]): Option {
  return new Option(flags, help).choices(words)
}

/** Seconds of `90`, `15m`, `1h` or `7d`. */
export function seconds(text: string): number {
  const durationMs = /^\d{1,12}$/.test(text) ? Number(text) * 1000 : parseDuration(text)
  if (durationMs === null) {
    throw new InvalidArgumentError('It must be seconds, or a duration such as 15m, 1h or 7d.')
  }
  return durationMs / 1000
}

/** An instant: RFC 3339, or how long ago, such as `24h`. */
export function timeBefore(now: () => number): (text: string) => Date {
  return (text) => {
    const agoMs = parseDuration(text)
    const at = agoMs === null ? rfc3339(text) : new Date(now() - agoMs)
    if (at !== null) return at
    throw new InvalidArgumentError(
      'It must be a time such as 2026-11-21T10:00:00Z, or a duration such as 24h.',
    )
  }
}

/** An instant that does not depend on when it is read. */
export function time(text: string): Date {
  const at = rfc3339(text)
  if (at !== null) return at
  throw new InvalidArgumentError('It must be a time such as 2026-11-21T10:00:00Z.')
}

/** A whole number in these bounds. */
export function count(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN
    if (number >= min && number <= max) return number
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`)
  }
}

/** Words with commas between. */
export function words(text: string): string[] {
  const list = text.split(',').map((word) => word.trim())
  if (list.every((word) => word !== '')) return list
  throw new InvalidArgumentError('It must be words with commas between.')
}

/** The text of a JSON object. */
export function jsonObject(text: string): Record<string, unknown> {
  const value = parseJson(text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>
  }
  throw new InvalidArgumentError('It must be a JSON object.')
}

/** An address that requests go to. */
export function httpUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text
  throw new InvalidArgumentError('It must be an http or https URL.')
}

/**
 * The bytes of a file, or of standard input for `-`.
 * @throws UsageError where it cannot be read.
 */
export async function readInput(context: CommandContext, file: string): Promise<Buffer> {
  if (file !== '-') {
    try {
      return readFileSync(file)
    } catch (cause) {
      throw new UsageError(`${file} cannot be read: ${(cause as Error).message}`, { cause })
    }
  }
  const chunks: Buffer[] = []
  for await (const chunk of context.stdin) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

/** As `readInput`, for text on one line, such as a secret. */
export async function readLine(context: CommandContext, file: string): Promise<string> {
  const line = (await readInput(context, file)).toString('utf8').trim()
  if (line === '') throw new UsageError(`${file === '-' ? 'Standard input' : file} is empty.`)
  return line
}

function rfc3339(text: string): Date | null {
  const at = new Date(text)
  return /^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(at.getTime()) ? at : null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
