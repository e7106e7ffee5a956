import { useEffect, useState } from 'react'

const units = [
  ['year', 31_536_000_000],
  // “Next month” would be anything from one day to sixty.
  ['month', 2_592_000_000, 5_184_000_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' })

/** The present, in milliseconds, anew every so often. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}

/** How long ago or how far ahead; the exact time on hover. */
export function When({ at, none = '–' }: { at: string | null; none?: string }) {
  const now = useNow(15_000)
  if (at === null) return <span className="quiet">{none}</span>
  return (
    <time dateTime={at} title={exactTime(at)} className="nowrap">
      {relativeTime(Date.parse(at) - now)}
    </time>
  )
}

/** `5 min. ago`. */
export function relativeTime(differenceMs: number): string {
  const size = Math.abs(differenceMs)
  if (size < 45_000) return differenceMs > 5_000 ? 'in a moment' : 'just now'
  const [unit, unitMs] =
    units.find(([, ms, from = ms]) => size >= from * 0.99) ?? units[units.length - 1]!
  return relative.format(Math.round(differenceMs / unitMs), unit)
}

/** In the reader's zone, with its name. */
export function exactTime(at: string): string {
  return new Date(at).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'long' })
}

/** A length that stands still: `30 min`, without the parts that are nothing. */
export function lengthText(ms: number): string {
  return spanText(ms).replaceAll(/ 0 (?:h|min|s)\b/g, '')
}

/** `2 d 3 h 4 min`, or `4 min 12 s`: three parts at most. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const
  const first = parts.findIndex(([count]) => count > 0)
  const shown = first === -1 ? parts.slice(3) : parts.slice(first, first + 3)
  return shown.map(([count, unit]) => `${count} ${unit}`).join(' ')
}
