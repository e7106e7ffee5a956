import assert from 'node:assert/strict'
import { request } from 'node:http'
import { duplexPair } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { InvalidResponse, type ResponseHead } from './response-head.ts'
import { ResponseHeadTooLarge, ResponseParser } from './response-parser.ts'
import { transportLimits } from './transport-limits.ts'

test('ends a body where its head says', () => {
  const table: [what: string, text: string, body: string, left: number][] = [
    ['a length', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', 'abc', 0],
    ['nothing, and no reason', 'HTTP/1.1 200\r\ncontent-length:0\r\n\r\n', '', 0],
    ['no content', 'HTTP/1.1 204 No Content\r\n\r\n', '', 0],
    ['no content, whatever it says', 'HTTP/1.1 204 None\r\ncontent-length: 5\r\n\r\n', '', 0],
    ['not modified', 'HTTP/1.1 304 Same\r\ntransfer-encoding: chunked\r\n\r\n', '', 0],
    ['chunks', `${chunkedHead}3\r\nabc\r\n2;ext="x"\r\nde\r\n0\r\n\r\n`, 'abcde', 0],
    ['trailers', `${chunkedHead}1\r\na\r\n0\r\nx-sum: 1\r\nconnection: close\r\n\r\n`, 'a', 0],
    [
      'a coding below',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n0\r\n\r\n',
      '',
      0,
    ],
    ['zeros before it', 'HTTP/1.1 200 OK\r\ncontent-length: 00000000000000001\r\n\r\na', 'a', 0],
    ['zeros before a size', `${chunkedHead}0000000000000001\r\na\r\n0\r\n\r\n`, 'a', 0],
    ['chunks, said twice', `${twiceChunked}1\r\na\r\n0\r\n\r\n`, 'a', 0],
    ['empty lines before it', '\r\n\r\nHTTP/1.1 204 None\r\n\r\n', '', 0],
    ['more than was said', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nabc', 'a', 2],
    ['a second one', 'HTTP/1.1 204 None\r\n\r\nHTTP/1.1 410 Gone\r\n\r\n', '', 21],
  ]
  for (const [what, text, body, left] of table) {
    const read = readWhole(text)
    assert.ok(read.kind === 'whole', what)
    assert.equal(read.body, body, what)
    assert.equal(read.left, left, what)
  }
})

const twiceChunked =
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n'
const chunkedHead = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'

test('a body without an end of its own ends with the connection, and none other does', () => {
  const until = readWhole('HTTP/1.0 200 OK\r\n\r\nall of it', { closes: true })
  assert.ok(until.kind === 'whole')
  assert.equal(until.body, 'all of it')
  assert.equal(until.reusableMs, 0)
  for (const text of [
    '',
    'HTTP/1.1 200 OK\r\ncontent-le',
    'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na',
    `${chunkedHead}1\r\na\r\n`,
    `${chunkedHead}1\r\na\r\n0\r\n`,
    'HTTP/1.1 102 Processing\r\n\r\n',
  ]) {
    assert.equal(readWhole(text, { closes: true }).kind, 'broken_off', text)
  }
})

test('tells how long the connection may be used again', () => {
  const table: [lines: string[], ms: number][] = [
    [['HTTP/1.1 204 N'], Number.POSITIVE_INFINITY],
    [['HTTP/1.1 204 N', 'connection: close'], 0],
    [['HTTP/1.1 204 N', 'connection: x, Close'], 0],
    [['HTTP/1.1 204 N', 'connection: x', 'Connection: close'], 0],
    [['HTTP/1.1 204 N', 'connection: closed'], Number.POSITIVE_INFINITY],
    [['HTTP/1.1 204 N', 'content-length: 0'], Number.POSITIVE_INFINITY],
    [['HTTP/1.1 204 N', 'content-length: 2'], 0],
    [['HTTP/1.1 204 N', 'transfer-encoding: chunked'], 0],
    [['HTTP/1.1 304 N', 'content-length: 2'], 0],
    [['HTTP/1.0 204 N'], 0],
    [['HTTP/1.0 204 N', 'connection: Keep-Alive'], Number.POSITIVE_INFINITY],
    [['HTTP/1.0 204 N', 'connection: keep-alive, close'], 0],
    [['HTTP/1.1 204 N', 'keep-alive: timeout=5, max=100'], 5_000],
    [['HTTP/1.1 204 N', 'keep-alive: max=100, timeout=7'], 7_000],
    [['HTTP/1.1 204 N', 'keep-alive: soon'], Number.POSITIVE_INFINITY],
  ]
  for (const [lines, ms] of table) {
    const read = readWhole(`${lines.join('\r\n')}\r\n\r\n`)
    assert.ok(read.kind === 'whole')
    assert.equal(read.reusableMs, ms, lines.join(' | '))
  }
})

test('refuses what is no HTTP, and what two readers could end in different places', () => {
  const ok = 'HTTP/1.1 200 OK\r\n'
  const refused = [
    'hello',
    '\nHTTP/1.1 200 OK\r\n\r\n',
    '\r\r\nHTTP/1.1 200 OK\r\n\r\n',
    'HTTP/2 200\r\n\r\n',
    'HTTP/1.2 200 OK\r\n\r\n',
    'HTTP/1.1 20 OK\r\n\r\n',
    'HTTP/1.1 2000 OK\r\n\r\n',
    'HTTP/1.1 099 OK\r\n\r\n',
    'HTTP/1.1  200 OK\r\n\r\n',
    'HTTP/1.1 200 O\nK\r\n\r\n',
    'HTTP/1.1 200 OK\nx: y\r\n\r\n',
    'HTTP/1.1 200 OK\ncontent-length: 0\n\n',
    'HTTP/1.0 103 Hints\r\n\r\nHTTP/1.1 204 None\r\n\r\n',
    'HTTP/1.1 103 Hints\r\nconnection: close\r\n\r\nHTTP/1.1 204 None\r\n\r\n',
    'HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n',
    `${ok}no colon\r\n\r\n`,
    `${ok}: no name\r\n\r\n`,
    `${ok}a space : x\r\n\r\n`,
    `${ok}x: a\r\n folded\r\n\r\n`,
    `${ok}x: a\nb\r\n\r\n`,
    `${ok}x: a\rb\r\n\r\n`,
    `${ok}x: a\0b\r\n\r\n`,
    ...['', '-1', '+1', '0x1', '1e3', '1, 1', '1 1', '9'.repeat(30)].map(
      (length) => `${ok}content-length: ${length}\r\n\r\n`,
    ),
    `${ok}content-length: 1\r\ncontent-length: 1\r\n\r\n`,
    `${ok}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n`,
    `${ok}transfer-encoding: chunked, gzip\r\n\r\n`,
    `${ok}transfer-encoding: chunked, gzip, chunked\r\n\r\n`,
    ...['', 'zz', '-1', '0x1', ' 1', '1 1', 'f'.repeat(20), '1\n'].map(
      (size) => `${chunkedHead}${size}\r\na\r\n0\r\n\r\n`,
    ),
    `${chunkedHead}1\r\nab\r\n0\r\n\r\n`,
    `${chunkedHead}1\na\n0\n\n`,
    `${chunkedHead}0\r\nno trailer\r\n\r\n`,
    `${chunkedHead}2;:=b\r\nhe\r\n0\r\n\r\n`,
  ]
  for (const text of refused) {
    assert.equal(readWhole(text).kind, 'invalid', JSON.stringify(text))
  }
})

test('bounds what never comes to a body', () => {
  const max = transportLimits.responseHeadBytesMax
  const line = `x: ${'y'.repeat(1_000)}\r\n`
  const lines = line.repeat(Math.ceil(max / line.length))
  for (const text of [
    `HTTP/1.1 200 ${'O'.repeat(max)}`,
    `HTTP/1.1 200 OK\r\n${lines}`,
    `HTTP/1.1 200 OK\r\n${lines}\r\n`,
    `${chunkedHead}1;${'x'.repeat(max)}`,
    `${chunkedHead}0\r\n${lines}\r\n`,
  ]) {
    assert.equal(readWhole(text).kind, 'too_large')
    assert.equal(readAll([...text].map((byte) => Buffer.from(byte))).kind, 'too_large')
  }
})

test('reads the same however the bytes are cut, and what node reads', async () => {
  let wholeCount = 0
  await fc.assert(
    fc.asyncProperty(
      damagedResponse,
      fc.array(fc.nat(40), { maxLength: 30 }),
      async (text, cuts) => {
        const bytes = Buffer.from(text, 'latin1')
        const whole = readAll([bytes], { closes: true })
        assert.deepEqual(readAll(piecesOf(bytes, cuts), { closes: true }), whole)
        if (whole.kind !== 'whole') return
        wholeCount++
        const { statusCode, body, left } = whole
        const own = bytes.subarray(0, bytes.length - left)
        assert.deepEqual(await readByNode(own), { statusCode, body })
      },
    ),
    { numRuns: 2_000 },
  )
  assert.ok(wholeCount > 200, `${wholeCount} of them are whole`)
})

test('holds on to nobody whose response is whole', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('globalThis.gc') as NodeJS.GCFunction
  const parser = new ResponseParser(transportLimits)
  const asked = (() => {
    const sink = { onHead() {}, onBody() {} }
    parser.begin(sink)
    assert.equal(parser.read(Buffer.from('HTTP/1.1 204 None\r\n\r\n')), 0)
    return new WeakRef(sink)
  })()
  // What a WeakRef is asked for lives until the end of that turn.
  await turn()
  collect()
  assert.equal(asked.deref(), undefined)
})

/** Parts that go together, and now and then parts that do not, or a byte that is out of place. */
const line = fc.constantFrom(
  'content-length: 5',
  'Content-Length: 0',
  'transfer-encoding: chunked',
  'Transfer-Encoding:  gzip , chunked',
  'connection: close',
  'connection: keep-alive',
  'keep-alive: timeout=5',
  'x-a: b',
  'x-empty:',
  'set-cookie: \u00e9=1 \t',
)
const responseText = fc
  .record({
    interim: fc.constantFrom(
      '',
      '',
      '\r\n',
      'HTTP/1.1 103 Hints\r\nlink: <a>\r\n\r\n',
      'HTTP/1.1 100 Continue\r\nconnection: close\r\n\r\n',
    ),
    status: fc.constantFrom(
      'HTTP/1.1 200 OK',
      'HTTP/1.1 200',
      'HTTP/1.0 500 Bad',
      'HTTP/1.1 204 ',
      'HTTP/1.1 304 x',
    ),
    lines: fc.array(line, { maxLength: 4 }),
    body: fc.constantFrom(
      '',
      'hello',
      'hello and more',
      '5\r\nhello\r\n0\r\n\r\n',
      '2;a=b\r\nhe\r\n3\r\nllo\r\n0\r\nx-t: 1\r\n\r\n',
    ),
  })
  .map(({ interim, status, lines, body }) => {
    return `${interim}${[status, ...lines].join('\r\n')}\r\n\r\n${body}`
  })
const damagedResponse = fc.oneof(
  { weight: 3, arbitrary: responseText },
  fc
    .tuple(
      responseText,
      fc.nat(),
      fc.constantFrom('', '\r', '\n', '\0', ' ', ':', '\r\n', 'f', '0'),
    )
    .map(([text, at, other]) => {
      const place = at % (text.length + 1)
      return text.slice(0, place) + other + text.slice(place + 1)
    }),
)

type Read =
  | { kind: 'whole'; statusCode: number; body: string; left: number; reusableMs: number }
  | { kind: 'broken_off' | 'invalid' | 'too_large' }

function readWhole(text: string, options?: { closes: boolean }): Read {
  return readAll([Buffer.from(text, 'latin1')], options)
}

/** Whatever comes behind the end of the response is left over, in whichever piece. */
function readAll(pieces: readonly Buffer[], { closes = false } = {}): Read {
  const parser = new ResponseParser(transportLimits)
  const parts: Buffer[] = []
  let head: ResponseHead | null = null
  parser.begin({
    onHead(given) {
      assert.equal(head, null, 'there is one head')
      head = given
    },
    onBody: (part) => parts.push(Buffer.from(part)),
  })
  const statusCode = () => head?.statusCode ?? 0
  const whole = (left: number): Read => ({
    kind: 'whole',
    statusCode: statusCode(),
    body: Buffer.concat(parts).toString('latin1'),
    left,
    reusableMs: parser.reusableMs,
  })
  try {
    for (const [index, piece] of pieces.entries()) {
      // As they are read into a buffer that is used again.
      const bytes = Buffer.from(piece)
      const left = parser.read(bytes)
      bytes.fill(0)
      const later = pieces.slice(index + 1).reduce((sum, { length }) => sum + length, 0)
      if (left !== null) return whole(left + later)
    }
    return closes && parser.finish() ? whole(0) : { kind: 'broken_off' }
  } catch (error) {
    if (error instanceof InvalidResponse) return { kind: 'invalid' }
    if (error instanceof ResponseHeadTooLarge) return { kind: 'too_large' }
    throw error
  }
}

function piecesOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  let at = 0
  for (const length of cuts) {
    pieces.push(bytes.subarray(at, at + length))
    at = Math.min(bytes.length, at + length)
  }
  return [...pieces, bytes.subarray(at)].filter(({ length }) => length > 0)
}

async function readByNode(bytes: Buffer) {
  const [ours, theirs] = duplexPair()
  const sent = request({ method: 'POST', createConnection: () => ours })
  sent.end()
  theirs.resume()
  theirs.end(bytes)
  return await new Promise((resolve, reject) => {
    sent.on('error', reject)
    sent.on('response', async (response) => {
      try {
        const body = (await buffer(response)).toString('latin1')
        resolve({ statusCode: response.statusCode, body })
      } catch (error) {
        reject(error)
      }
    })
  })
}
