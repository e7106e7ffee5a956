import { isIP } from 'node:net'
import { resolve } from 'node:path'
import ipaddr from 'ipaddr.js'
import { formatDuration, parseDuration, parseDurationList } from './core/duration.ts'
import { masterKeyBytes } from './core/secret-box.ts'

/** A kind of option: which texts are accepted, what they mean, how a meaning is written back. */
export interface OptionKind<T> {
  /** Completes "must be …"; it stands in messages and in the docs. */
  expected: string
  parse(text: string): Parsed<T>
  /** As an operator would write it, for the log: secrets are masked. */
  write(value: T): string
}

/** `problem` completes a sentence that begins with the option's name. It never holds the text. */
export type Parsed<T> = { ok: true; value: T } | { ok: false; problem: string }

export interface PortRange {
  from: number
  to: number
}

/** The same kind for an option whose absence is null. */
export function orNull<T>(kind: OptionKind<T>): OptionKind<T | null> {
  return { ...kind, write: (value) => (value === null ? '' : kind.write(value)) }
}

export function wholeNumber(bounds: { min: number; max: number }): OptionKind<number> {
  return kindOf({
    expected: `a whole number from ${bounds.min} to ${bounds.max}`,
    read(text) {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
      return value >= bounds.min && value <= bounds.max ? value : null
    },
    write: String,
  })
}

/** A span of time, in milliseconds. The bounds are written as an operator would write them. */
export function duration(bounds: { min: string; max: string }): OptionKind<number> {
  return kindOf({
    expected: `a duration from ${bounds.min} to ${bounds.max}, such as 500ms, 15s, 5m, 2h or 5d`,
    read(text) {
      const valueMs = parseDuration(text)
      return valueMs !== null && isWithin(valueMs, bounds) ? valueMs : null
    },
    write: formatDuration,
  })
}

/** Spans of time separated by commas, in milliseconds; at least one. */
export function durationList(bounds: {
  min: string
  max: string
  countMax: number
}): OptionKind<number[]> {
  return kindOf({
    expected: `1 to ${bounds.countMax} durations from ${bounds.min} to ${bounds.max} with commas between, such as 5s,5m,2h`,
    read(text) {
      const valuesMs = parseDurationList(text)
      if (valuesMs === null || valuesMs.length === 0) return null
      const isRight =
        valuesMs.length <= bounds.countMax && valuesMs.every((value) => isWithin(value, bounds))
      return isRight ? valuesMs : null
    },
    write: (valuesMs) => valuesMs.map(formatDuration).join(','),
  })
}

export const trueOrFalse: OptionKind<boolean> = kindOf({
  expected: 'true or false',
  read: (text) =>
    ['true', '1'].includes(text) ? true : ['false', '0'].includes(text) ? false : null,
  write: String,
})

export function oneOf<const Word extends string>(words: readonly Word[]): OptionKind<Word> {
  return kindOf({
    expected: `one of ${words.join(', ')}`,
    read: (text) => words.find((word) => word === text) ?? null,
    write: (word) => word,
  })
}

/** Any of the words with commas between, in the order of the table; `all`, or `none`. */
export function someOf<const Word extends string>(words: readonly Word[]): OptionKind<Word[]> {
  return kindOf({
    expected: `all, none, or some of ${words.join(', ')} with commas between`,
    read(text) {
      if (text === 'all') return [...words]
      if (text === 'none') return []
      const named = text.split(',').map((part) => part.trim())
      const isKnown = named.every((part) => words.some((word) => word === part))
      return isKnown ? words.filter((word) => named.includes(word)) : null
    },
    write: (chosen) =>
      chosen.length === words.length ? 'all' : chosen.length === 0 ? 'none' : chosen.join(','),
  })
}

export const hostName: OptionKind<string> = kindOf({
  expected: 'an IP address or a host name, without a port',
  read: (text) =>
    isIP(text) !== 0 || /^[A-Za-z0-9][A-Za-z0-9.-]{0,252}$/.test(text) ? text : null,
  write: (name) => name,
})

/** An absolute path, so that it means the same wherever it is shown or pasted. */
export const directory: OptionKind<string> = kindOf({
  expected: 'the path of a directory',
  read: (text) => (text.includes('\0') ? null : resolve(text)),
  write: (path) => path,
})

/** `sqlite`, or the URL of a PostgreSQL database. */
export type Database = 'sqlite' | `postgres${string}`

/** Where the data is. */
export const database: OptionKind<Database> = kindOf({
  expected:
    'sqlite, or the URL of a PostgreSQL database such as postgres://user:password@host:5432/countersign',
  read(text) {
    if (text === 'sqlite') return text
    const url = /^postgres(?:ql)?:/.test(text) ? URL.parse(text) : null
    const isNamed = url !== null && url.pathname.length > 1
    return isNamed ? (text as Database) : null
  },
  write: shownDatabase,
})

/** What may be shown of it: neither the user, nor a password, which may be a parameter too. */
export function shownDatabase(name: Database): string {
  if (name === 'sqlite') return name
  const { protocol, host, pathname } = new URL(name)
  return `${protocol}//${host}${pathname}`
}

/** A base for links: no trailing slash, and nothing in it that must not be shown. */
export const webAddress: OptionKind<string> = kindOf({
  expected:
    'an absolute http or https URL without credentials, query and fragment, such as https://webhooks.example.com',
  read(text) {
    const url = URL.parse(text)
    if (url === null || !/^https?:$/.test(url.protocol) || /[?#]/.test(text)) return null
    if (url.username !== '' || url.password !== '') return null
    return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
  },
  write: (address) => address,
})

export const networkList: OptionKind<string[]> = listOf({
  // More than anyone lists by hand; every delivery is checked against them.
  countMax: 1000,
  expected: 'networks with commas between, such as 10.0.0.0/8,fd00::/8',
  read(entry) {
    const [base = ''] = entry.split('/')
    // The library alone would also take octal, hexadecimal and short forms.
    return isIP(base) !== 0 && ipaddr.isValidCIDR(entry) ? entry : null
  },
  write: (network) => network,
})

/** Origins of pages: scheme, host and port, as browsers send them. */
export const originList: OptionKind<string[]> = listOf({
  countMax: 100,
  expected:
    'origins with commas between, such as https://console.example.com,http://localhost:5173',
  read(entry) {
    const url = URL.parse(entry)
    return url !== null && /^https?:$/.test(url.protocol) && url.origin === entry ? entry : null
  },
  write: (origin) => origin,
})

export const portList: OptionKind<PortRange[]> = listOf({
  countMax: 1000,
  expected: 'ports from 1 to 65535 or ranges of them with commas between, such as 443,8000-8100',
  read(entry) {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(entry)
    const from = Number(match?.[1])
    const to = Number(match?.[2] ?? match?.[1])
    return from >= 1 && from <= to && to <= 65_535 ? { from, to } : null
  },
  write: ({ from, to }) => (from === to ? `${from}` : `${from}-${to}`),
})

/** 32 url-safe characters are 192 bits when they are random: beyond guessing. */
export const rootKeyList: OptionKind<string[]> = listOf({
  expected: 'one key, or two with a comma between, each csk_ and 32 to 256 of A-Z a-z 0-9 - _',
  countMax: 2,
  read: (entry) => (/^csk_[A-Za-z0-9_-]{32,256}$/.test(entry) ? entry : null),
  write: mask,
})

export const masterKeyList: OptionKind<Uint8Array[]> = listOf({
  expected: `keys with commas between, each the standard base64 of ${masterKeyBytes} random bytes`,
  countMax: 16,
  read(entry) {
    const bytes = Buffer.from(entry, 'base64')
    // Encoded again, because the decoder skips whatever is not base64.
    return bytes.length === masterKeyBytes && bytes.toString('base64') === entry ? bytes : null
  },
  write: mask,
})

interface TextForm<T> {
  expected: string
  /** Null where the text is not of this kind. */
  read(text: string): T | null
  write(value: T): string
}

function kindOf<T>({ expected, read, write }: TextForm<T>): OptionKind<T> {
  return {
    expected,
    parse(text) {
      const value = read(text)
      return value === null ? { ok: false, problem: `must be ${expected}` } : { ok: true, value }
    },
    write,
  }
}

/** A wrong entry is told by its place, because in some lists it is a secret. */
function listOf<T>(entry: TextForm<T> & { countMax: number }): OptionKind<T[]> {
  const { expected, countMax } = entry
  const wrong = (reason: string) =>
    ({ ok: false, problem: `must be ${expected}; ${reason}` }) as const
  return {
    expected,
    parse(text) {
      const texts = text.split(',').map((part) => part.trim())
      if (texts.length > countMax) return wrong(`there are ${texts.length}`)
      const values: T[] = []
      for (const [index, part] of texts.entries()) {
        const value = entry.read(part)
        if (value === null) return wrong(`entry ${index + 1} of ${texts.length} is not`)
        values.push(value)
      }
      return { ok: true, value: values }
    },
    write: (values) => values.map(entry.write).join(','),
  }
}

function mask(): string {
  return '***'
}

function isWithin(valueMs: number, bounds: { min: string; max: string }): boolean {
  const [minMs, maxMs] = [parseDuration(bounds.min), parseDuration(bounds.max)]
  return minMs !== null && maxMs !== null && valueMs >= minMs && valueMs <= maxMs
}
