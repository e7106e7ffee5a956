/**
 * Milliseconds of a duration such as `250ms`, `5s`, `5m`, `2h` or `5d`: a whole number and a unit.
 * Null for anything else, and for what a number cannot hold exactly.
 */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,15})(ms|s|m|h|d)$/.exec(text)
  if (match === null) return null
  const [, count, unit] = match
  const durationMs = Number(count) * UNITS[unit as Unit]
  return Number.isSafeInteger(durationMs) ? durationMs : null
}

/** Milliseconds of durations with commas between, such as `5s,5m,30m`; null if any is none. */
export function parseDurationList(text: string): number[] | null {
  const durations: number[] = []
  for (const part of text.split(',')) {
    const durationMs = parseDuration(part.trim())
    if (durationMs === null) return null
    durations.push(durationMs)
  }
  return durations
}

/** The shortest text without a fraction that `parseDuration` reads back as `durationMs`. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return '0s'
  const unit = UNITS_LARGEST_FIRST.find((each) => durationMs % UNITS[each] === 0) ?? 'ms'
  return `${durationMs / UNITS[unit]}${unit}`
}

type Unit = keyof typeof UNITS

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

const UNITS_LARGEST_FIRST = ['d', 'h', 'm', 's', 'ms'] as const
