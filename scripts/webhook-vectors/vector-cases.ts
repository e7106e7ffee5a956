import { macUnderPublicKey, sharedSecretName } from './ed25519-format.ts'
import type { RefusalReason, Vector } from './vector.ts'
import type { WireFormat } from './wire-format.ts'

/** 2026-11-21T10:00:00Z, when every delivery is signed unless its age is the point. */
const signedAtSeconds = 1795255200
export const toleranceSeconds = 300
const yearSeconds = 365 * 86_400
const plainData = '{"order_id":"ord_7","amount":4200}'

/** Every vector of a format: what all formats share, then what only some have. */
export function vectorsOf(format: WireFormat): Vector[] {
  const write = createWriter(format)
  return [
    ...goodBodies(write),
    ...rotations(format, write),
    ...ages(format, write),
    ...wrongSecrets(format, write),
    ...changedRequests(format, write),
    ...brokenHeaders(format, write),
    ...(format.hasSeveralSignatures ? listedSignatures(format, write) : []),
    ...peculiarities(format, write),
  ]
}

type Writer = (name: string, delivery: Delivery) => Vector

interface Delivery {
  data?: string
  /** Names of the sender's secrets, newest first, and of the receiver's. */
  sends?: string[]
  holds?: string[]
  /** How long after signing the delivery is verified. */
  ageSeconds?: number
  keyOf?: (secret: string) => Buffer
  /** What becomes of the request on its way; the vector then tells no `signed_with`. */
  change?: (request: { body: string; headers: Record<string, string> }) => {
    body?: string
    headers?: Record<string, string>
  }
  /** The index of the receiver's secret that matches, or why the delivery is refused. */
  expect?: number | RefusalReason
}

function createWriter(format: WireFormat): Writer {
  return (name, delivery) => {
    const { data = plainData, sends = ['old'], holds = ['old'], expect = 0 } = delivery
    const { ageSeconds = 0, keyOf = format.keyOf, change } = delivery
    const body = format.body(data)
    const keys = sends.map((each) => ({ name: each, bytes: keyOf(format.secret(each)) }))
    const headers = format.headers({ timestamp: signedAtSeconds, body, keys })
    const isAsSigned = change === undefined && keyOf === format.keyOf
    return {
      name,
      secrets: holds.map(format.held ?? format.secret),
      ...(isAsSigned ? { signed_with: sends.map(format.secret) } : {}),
      id: format.id,
      timestamp: format.isTimed ? signedAtSeconds : null,
      now: signedAtSeconds + ageSeconds,
      body,
      headers,
      ...change?.({ body, headers }),
      expected:
        typeof expect === 'number'
          ? { valid: true, matched_secret_index: expect }
          : { valid: false, reason: expect },
    }
  }
}

function goodBodies(write: Writer): Vector[] {
  const bodies = {
    'one secret': plainData,
    'a body in Unicode, of which the UTF-8 bytes are signed':
      '{"name":"Zoë 山田 👩‍👩‍👧","e":"e\u0301","separator":"\u2028"}',
    'numbers beyond 2^53, which must not be parsed and written anew':
      '{"balance":90071992547409931,"rate":0.10000000000000000001,"huge":1e400}',
    'odd spacing, escapes and order of keys, which must not be written anew':
      '{ "b" : 1 ,\t"a":\n"\\u0041\\/",  "list":[ ] }',
  }
  return Object.entries(bodies).map(([name, data]) => write(name, { data }))
}

function rotations(format: WireFormat, write: Writer): Vector[] {
  const before = [
    write('before a rotation: the receiver holds the next secret already', {
      sends: ['old'],
      holds: ['old', 'new'],
      expect: 0,
    }),
    write('after a rotation: the receiver still holds the old secret', {
      sends: ['new'],
      holds: ['old', 'new'],
      expect: 1,
    }),
  ]
  if (!format.hasSeveralSignatures) return before
  const sends = ['new', 'old']
  return [
    ...before,
    write('two signatures: the receiver holds the old secret', { sends, holds: ['old'] }),
    write('two signatures: the receiver holds the new secret', { sends, holds: ['new'] }),
    write('two signatures: of two secrets, the newest of the sender counts as matched', {
      sends,
      holds: ['old', 'new'],
      expect: 1,
    }),
    write('three signatures: the receiver holds the oldest secret', {
      sends: ['newest', 'new', 'old'],
      holds: ['old'],
    }),
    write('two signatures: the receiver holds neither secret', {
      sends,
      holds: ['wrong', 'newest'],
      expect: 'no_match',
    }),
  ]
}

function ages({ isTimed }: WireFormat, write: Writer): Vector[] {
  if (!isTimed) {
    const name = 'a year old: no time is signed, so the age cannot be judged'
    return [write(name, { ageSeconds: yearSeconds })]
  }
  return [
    write('as old as the tolerance allows', { ageSeconds: toleranceSeconds }),
    write('as far ahead as the tolerance allows', { ageSeconds: -toleranceSeconds }),
    write('too old', { ageSeconds: toleranceSeconds + 1, expect: 'timestamp_too_old' }),
    write('too new', { ageSeconds: -toleranceSeconds - 1, expect: 'timestamp_too_new' }),
  ]
}

function wrongSecrets({ wrongKey }: WireFormat, write: Writer): Vector[] {
  return [
    write('another secret', { holds: ['wrong'], expect: 'no_match' }),
    write('two other secrets', { holds: ['wrong', 'new'], expect: 'no_match' }),
    write(`keyed by another rule: ${wrongKey.rule}`, {
      keyOf: wrongKey.keyOf,
      expect: 'no_match',
    }),
  ]
}

function changedRequests(format: WireFormat, write: Writer): Vector[] {
  const changed = (name: string, change: NonNullable<Delivery['change']>) =>
    write(name, { change, expect: 'no_match' })
  const replaced = (header: string, value: string) =>
    changed(`another ${header}`, ({ headers }) => ({ headers: { ...headers, [header]: value } }))
  return [
    changed('a changed body', ({ body }) => ({ body: body.replace('4200', '9200') })),
    changed('a body with a line break at its end', ({ body }) => ({ body: `${body}\n` })),
    changed('a body without its last character', ({ body }) => ({ body: body.slice(0, -1) })),
    ...format.requiredHeaders.flatMap((header) => {
      if (header.endsWith('-id')) return [replaced(header, 'evt_another')]
      if (header.endsWith('-timestamp')) return [replaced(header, String(signedAtSeconds + 1))]
      return []
    }),
    write('header names in capitals, which mean the same', {
      change: ({ headers }) => ({
        headers: Object.fromEntries(
          Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]),
        ),
      }),
    }),
  ]
}

function brokenHeaders(format: WireFormat, write: Writer): Vector[] {
  return format.requiredHeaders.flatMap((header) => [
    write(`without ${header}`, {
      change: ({ headers }) => ({
        headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name !== header)),
      }),
      expect: 'missing_header',
    }),
    write(`an empty ${header}`, {
      change: ({ headers }) => ({ headers: { ...headers, [header]: '' } }),
      expect: 'missing_header',
    }),
    ...(header.endsWith('-timestamp')
      ? ['soon', '-1795255200', '0x6b015f60'].map((value) =>
          write(`a ${header} that is not Unix seconds: ${JSON.stringify(value)}`, {
            change: ({ headers }) => ({ headers: { ...headers, [header]: value } }),
            expect: 'malformed',
          }),
        )
      : []),
  ])
}

/** How the entries of a list of signatures are told apart. */
function listedSignatures(format: WireFormat, write: Writer): Vector[] {
  const { signatureHeader: header, name, signatureVersion: version = 'v1' } = format
  const isStripe = name === 'stripe'
  const [separator, equals] = isStripe ? [',', '='] : [' ', ',']
  const isPublic = version === 'v1a'
  const other = isStripe ? 'a'.repeat(64) : isPublic ? `${'A'.repeat(86)}==` : `${'A'.repeat(43)}=`
  const changed = (
    what: string,
    expect: Delivery['expect'] & {},
    change: (signature: string) => string,
  ) =>
    write(what, {
      expect,
      change: ({ headers }) => ({
        headers: { ...headers, [header]: change(String(headers[header])) },
      }),
    })
  const insert = (entries: string[]) => (signature: string) =>
    signature.replace(`${version}${equals}`, [...entries, `${version}${equals}`].join(separator))
  return [
    changed(
      'a signature of another version before the right one',
      0,
      insert([`v2${equals}${other}`]),
    ),
    changed(
      'a signature of nobody before the right one',
      0,
      insert([`${version}${equals}${other}`]),
    ),
    changed(
      'empty entries between the signatures',
      0,
      insert(['', '', `${version}${equals}`, version]),
    ),
    changed('an entry of nobody after the right one', 0, (text) => `${text}${separator}v9`),
    changed('signatures of other versions only', 'no_match', (text) =>
      text.replace(`${version}${equals}`, `v2${equals}`),
    ),
    // Of the padding at the end, some decoders miss nothing.
    changed('a signature that lacks its end', 'no_match', (text) =>
      text.slice(0, isPublic ? -4 : -1),
    ),
    changed('a right signature in capitals', 'no_match', (text) =>
      text.replace(/[A-Za-z0-9+/]{43,}={0,2}$/, (mac) => mac.toUpperCase()),
    ),
  ]
}

/** What only one format has. */
function peculiarities(format: WireFormat, write: Writer): Vector[] {
  const signature = (name: string, value: (given: string) => string): Vector =>
    write(name, {
      expect: 'malformed',
      change: ({ headers }) => {
        const given = String(headers[format.signatureHeader])
        return { headers: { ...headers, [format.signatureHeader]: value(given) } }
      },
    })
  if (format.name === 'stripe') {
    return [
      signature('a header without a time', (given) => given.replace(/^t=\d+,/, '')),
      signature('a header with two times', (given) => `${given},t=${signedAtSeconds + 1}`),
      signature('a time that is not Unix seconds', (given) => given.replace(/^t=\d+/, 't=soon')),
    ]
  }
  if (!format.hasSeveralSignatures) {
    return [
      signature('a signature in capitals', (given) =>
        given.replace(/[0-9a-f]{64}$/, (mac) => mac.toUpperCase()),
      ),
      signature('a signature that lacks its end', (given) => given.slice(0, -1)),
      signature('two signatures in one header', (given) => `${given}, ${given}`),
      signature('a signature of another kind', (given) => `sha1=${given.slice(-40)}`),
    ]
  }
  if (format.name === 'standard' || format.name === 'standard-ed25519') {
    return [
      ...(format.name === 'standard' ? [] : changesOfAlgorithm(format, write)),
      write('without the ids of the secrets, as other senders of Standard Webhooks send', {
        change: ({ headers: { 'webhook-secret-ids': _, ...headers } }) => ({ headers }),
      }),
    ]
  }
  if (format.name === 'dinie') {
    return [
      write('a secret without whsec_, whose key is its own text', {
        sends: ['plain'],
        holds: ['old', 'plain'],
        expect: 1,
      }),
    ]
  }
  return []
}

/** Both algorithms side by side, and what must not be mistaken for each other. */
function changesOfAlgorithm(format: WireFormat, write: Writer): Vector[] {
  const header = format.signatureHeader
  const sends = ['new', sharedSecretName]
  const replaced = (name: string, value: (given: string, text: string) => string): Vector =>
    write(name, {
      holds: [sharedSecretName, 'old'],
      expect: 'no_match',
      change({ body, headers }) {
        const text = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
        return { headers: { ...headers, [header]: value(String(headers[header]), text) } }
      },
    })
  return [
    write('from HMAC to Ed25519: the receiver holds the secret', { sends, holds: ['shared'] }),
    write('from HMAC to Ed25519: the receiver holds the public key', { sends, holds: ['new'] }),
    write('from HMAC to Ed25519: the receiver holds both', {
      sends,
      holds: ['shared', 'new'],
      expect: 1,
    }),
    write('from Ed25519 to HMAC: the receiver holds both', {
      sends: [sharedSecretName, 'old'],
      holds: ['old', sharedSecretName],
      expect: 1,
    }),
    write('HMAC alone: the receiver holds public keys alone', {
      sends: [sharedSecretName],
      holds: ['old', 'new'],
      expect: 'no_match',
    }),
    write('Ed25519 alone: the receiver holds the secret alone', {
      holds: [sharedSecretName],
      expect: 'no_match',
    }),
    replaced('an Ed25519 signature that claims to be an HMAC', (given) =>
      given.replace('v1a,', 'v1,'),
    ),
    replaced('an HMAC keyed with the public key, which anyone can make', (_, text) =>
      macUnderPublicKey((format.held ?? format.secret)('old'), text),
    ),
  ]
}
