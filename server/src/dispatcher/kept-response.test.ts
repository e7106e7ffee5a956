import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { limits } from '../core/limits.ts'
import { echoesOf, keptResponse, maskedValue } from './kept-response.ts'

const keptMax = limits.responseBodyKeptBytes
/** What may be left of a value where the text ends. */
const prefixMax = 3

/** As the transport keeps it: the first bytes, and whether there were more. */
function keep(
  body: Uint8Array | string,
  custom: Record<string, string> = {},
  { isBrokenOff = false, headers = {} } = {},
) {
  const bytes = Buffer.from(body as string)
  const received = {
    statusCode: 200,
    headers,
    body: bytes.subarray(0, keptMax),
    bodyTruncated: bytes.length > keptMax,
  }
  return keptResponse(received, { echoes: echoesOf(custom), isBrokenOff })
}

describe('what is kept of a response', () => {
  test('is the text as it came, markup and control characters included', () => {
    for (const body of [
      '',
      'ok',
      '<script>alert(1)</script>',
      'a\u0000b\u001b[31m\u2028',
      '\ufeffx',
    ]) {
      const kept = keep(body)
      assert.equal(kept.body, body)
      assert.equal(kept.bodyTruncated, false)
    }
  })

  test('does not end in half a character, wherever the cut falls', () => {
    for (const character of ['é', '€', '😀']) {
      for (let before = 0; before < 4; before++) {
        const body = 'x'.repeat(keptMax - before) + character.repeat(10)
        const kept = keep(body)
        assert.ok(kept.bodyTruncated)
        assert.ok(body.startsWith(kept.body), 'nothing is replaced')
        assert.ok(Buffer.byteLength(kept.body) > keptMax - 4)
      }
    }
  })

  test('replaces what is no UTF-8, and is no longer for it', () => {
    const kept = keep(Buffer.alloc(keptMax, 0xff))
    assert.match(kept.body, /^\ufffd+$/)
    assert.ok(Buffer.byteLength(kept.body) <= keptMax)
    assert.ok(kept.bodyTruncated, 'a part of it is not shown')
    assert.equal(keep(Buffer.from([0x61, 0xc3])).body, 'a\ufffd', 'a whole body that ends badly')
  })

  test('is within its bound and valid text, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 0, maxLength: 64 }),
        fc.integer({ min: 1, max: 2_000 }),
        fc.boolean(),
        (piece, times, isBrokenOff) => {
          const kept = keep(Buffer.concat(Array(times).fill(piece)), {}, { isBrokenOff })
          assert.ok(Buffer.byteLength(kept.body) <= keptMax)
          assert.ok(kept.body.isWellFormed())
        },
      ),
    )
  })
})

describe('what a receiver sends back of the custom headers', () => {
  test('is masked as the whole value, as a word of it, and as JSON writes them', () => {
    const custom = { authorization: 'Bearer to/ken"with\\marks', 'x-phrase': 'open my door 1234' }
    const token = 'to/ken"with\\marks'
    const json = JSON.stringify(token)
    for (const echo of [token, json, json.replaceAll('/', '\\/'), `Bearer ${token}`]) {
      const { body } = keep(`you sent ${echo}, it says`, custom)
      assert.ok(!body.includes('ken'), body)
      assert.match(body, /^you sent .*\*\*\*.*, it says$/)
    }
    assert.equal(keep('> open my door 1234 <', custom).body, '> *** <')
    const { headers } = keep('', custom, { headers: { 'x-you-sent': `a ${token}` } })
    assert.equal(headers['x-you-sent'], 'a ***')
  })

  test('is masked whole where one value begins like another', () => {
    const custom = { 'x-short': 'abcdefgh', 'x-long': 'abcdefghijklmnop' }
    assert.equal(keep('abcdefghijklmnop abcdefgh', custom).body, '*** ***')
  })

  test('is masked where the kept part ends inside of it', () => {
    const value = 'token-0123456789abcdef'
    for (let left = 1; left <= value.length; left++) {
      const kept = keep(`${'.'.repeat(keptMax - left)}${value}...`, { 'x-token': value })
      const end = kept.body.replace(/^\.+/, '')
      assert.equal(end, left <= prefixMax ? value.slice(0, left) : maskedValue)
      assert.ok(kept.bodyTruncated)
    }
  })

  test('leaves no beginning of a value at the end, however the response was cut', () => {
    const printable = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz0123456789/"\\+=')
    const filler = fc.constantFrom('.', 'É', '€', '\n', '\xff')
    fc.assert(
      fc.property(
        fc.array(printable, { minLength: 8, maxLength: 60 }),
        fc.array(printable, { minLength: 8, maxLength: 60 }),
        fc.boolean(),
        fc.integer({ min: 0, max: 200 }),
        fc.integer({ min: 0, max: 200 }),
        filler,
        fc.boolean(),
        (first, second, isJson, before, cutAt, fill, isLong) => {
          const values = [first.join(''), second.join('')]
          const echoed = isJson ? JSON.stringify(values).slice(1, -1) : values.join(' ')
          const start = isLong ? keptMax - 100 : 0
          const text = Buffer.from(fill.repeat(start + before).slice(0, start + before) + echoed)
          const bytes = isLong
            ? Buffer.concat([text, Buffer.alloc(200, 46)])
            : text.subarray(0, cutAt)
          const custom = Object.fromEntries(values.map((value, n) => [`x-${n}`, value]))
          const { body } = keep(bytes, custom, { isBrokenOff: true })
          for (const value of values) assertNoneOf(value, body)
        },
      ),
      { numRuns: 2_000 },
    )
  })

  test('is masked in all headers at once, and values of many words cost no more', () => {
    const longValue = (n: number) =>
      `Bearer ${'to/ken"'.padEnd(limits.headerValueLengthMax - 20, '/')}${n}`
    const values = Array.from({ length: limits.endpointHeadersMax }, (_, n) => longValue(n))
    const custom = Object.fromEntries(values.map((value, n) => [`x-${n}`, value]))
    const tokens = values.map((value) => value.replace('Bearer ', ''))
    for (const token of tokens) {
      const json = JSON.stringify(token)
      const { body } = keep([token, json, json.replaceAll('/', '\\/')].join(' '), custom)
      assert.equal(body, '*** "***" "***"')
    }
    const wordy = Array.from({ length: 200 }, (_, n) => `word-${n}-word`).join(' ')
    const echoes = echoesOf({ 'x-wordy': wordy, 'x-token': 'Bearer '.padEnd(40, 'x') })
    assert.ok(echoes.length <= 200)
    assert.ok(echoes.includes(wordy) && echoes.includes('x'.repeat(33)))
  })
})

/** The end of the text is no beginning of the value that is longer than what may be left. */
function assertNoneOf(value: string, text: string): void {
  assert.ok(!text.includes(value))
  for (let length = prefixMax + 1; length <= value.length; length++) {
    assert.ok(!text.endsWith(value.slice(0, length)), `${length} of ${value} in ${text.slice(-99)}`)
  }
}
