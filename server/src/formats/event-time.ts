import assert from 'node:assert/strict'
import { parseTime } from '../core/time.ts'

/** An event's time in UTC with milliseconds (`…Z`); its own text where that is no time. */
export function utcTextOf(timestamp: string): string {
  const at = parseTime(timestamp)
  return at === null ? timestamp : new Date(at).toISOString()
}

/** An event's time in Unix seconds, rounded down. */
export function unixSecondsOf(timestamp: string): number {
  const at = parseTime(timestamp)
  assert(at !== null, 'events whose timestamp is no time are refused at publish')
  return Math.floor(at / 1000)
}
