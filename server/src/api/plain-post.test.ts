import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { duplexPair } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import fc from 'fast-check'
import { createPlainPostReader, type PlainPost } from './plain-post.ts'

const plainLines = [
  'Host: hooks.example',
  'Authorization: Bearer csk_1',
  'Content-Type: application/json',
  'Content-Length: 2',
]

const path = '/v1/projects/prj_1/events'

test('reads a request of one piece, whatever the case and the order of its headers', () => {
  const expected = { path, authorization: 'Bearer csk_1', body: '{}' }
  const variants = [
    plainLines,
    plainLines.toReversed(),
    plainLines.map((line) => line.toLowerCase()),
    plainLines.map((line) => line.replace(': ', ':')),
    plainLines.map((line) => line.replace(': ', ':   ').concat('  ')),
    [
      ...plainLines,
      'Connection: Keep-Alive',
      'Accept: */*',
      'User-Agent: curl/8',
      'traceparent: 00',
    ],
    plainLines.with(2, 'Content-Type: application/json; charset=utf-8'),
  ]
  for (const lines of variants) {
    const read = readOnce(requestOf(lines))
    const authorization = read?.head.authorization.replace('bearer', 'Bearer')
    const seen = { path: read?.head.path, authorization, body: String(read?.body) }
    assert.deepEqual(seen, expected, lines.join('\n'))
  }
})

test('reads nothing that means more, or less, than a plain POST of JSON', () => {
  const others: [what: string, request: string][] = [
    ['another method', requestOf(plainLines).replace('POST', 'PUT')],
    ['another version', requestOf(plainLines).replace('HTTP/1.1', 'HTTP/1.0')],
    ['a query', requestOf(plainLines).replace(path, `${path}?a=b`)],
    ['a path that is written otherwise', requestOf(plainLines).replace('/events', '/%65vents')],
    ['a whole URL', requestOf(plainLines).replace(path, `http://hooks.example${path}`)],
    ['no host', requestOf(plainLines.slice(1))],
    ['no key', requestOf(plainLines.toSpliced(1, 1))],
    ['no type', requestOf(plainLines.toSpliced(2, 1))],
    ['no length', requestOf(plainLines.toSpliced(3, 1))],
    ['two keys', requestOf([...plainLines, 'Authorization: Bearer csk_2'])],
    ['two lengths', requestOf([...plainLines, 'Content-Length: 2'])],
    ['two of what says nothing', requestOf([...plainLines, 'Accept: */*', 'accept: */*'])],
    ['chunks', requestOf([...plainLines, 'Transfer-Encoding: chunked'])],
    ['an expectation', requestOf([...plainLines, 'Expect: 100-continue'])],
    ['a last request', requestOf([...plainLines, 'Connection: close'])],
    ['an upgrade', requestOf([...plainLines, 'Connection: upgrade', 'Upgrade: h2c'])],
    ['an answer to be kept', requestOf([...plainLines, 'Idempotency-Key: k'])],
    ['a page', requestOf([...plainLines, 'Origin: https://app.example'])],
    ['a proxy', requestOf([...plainLines, 'X-Forwarded-For: 192.0.2.1'])],
    ['a coding', requestOf([...plainLines, 'Content-Encoding: gzip'])],
    ['another type', requestOf(plainLines.with(2, 'Content-Type: text/plain'))],
    ['another charset', requestOf(plainLines.with(2, 'Content-Type: application/json; charset=x'))],
    ['a sign before the length', requestOf(plainLines.with(3, 'Content-Length: +2'))],
    ['a zero before the length', requestOf(plainLines.with(3, 'Content-Length: 02'))],
    ['a hexadecimal length', requestOf(plainLines.with(3, 'Content-Length: 0x2'))],
    ['a list of lengths', requestOf(plainLines.with(3, 'Content-Length: 2, 2'))],
    ['a line that goes on', requestOf([...plainLines, 'Accept: a', ' b'])],
    ['a space before the colon', requestOf([...plainLines.slice(1), 'Host : x'])],
    ['a line without a colon', requestOf([...plainLines, 'Accept'])],
    ['a bare line feed', requestOf(plainLines).replaceAll('\r\n', '\n')],
    ['a line feed in a value', requestOf([...plainLines, 'Accept: a\nTransfer-Encoding: chunked'])],
    ['a carriage return in a value', requestOf([...plainLines, 'Accept: a\rb'])],
    ['a zero byte', requestOf([...plainLines, 'Accept: \0'])],
    ['a byte beyond ASCII', requestOf([...plainLines, 'Accept: é'])],
    ['a head too long', requestOf([...plainLines, `Accept: ${'x'.repeat(4096)}`])],
    ['less than the body', requestOf(plainLines).slice(0, -1)],
    ['less than the head', requestOf(plainLines).slice(0, -5)],
    ['more than the body', `${requestOf(plainLines)}P`],
    ['two requests', requestOf(plainLines).repeat(2)],
  ]
  for (const [what, request] of others) assert.equal(readOnce(request), null, what)
})

test('takes each piece of a connection for what it is, whatever came before it', () => {
  const read = createPlainPostReader()
  const longer = requestOf(plainLines.with(3, 'Content-Length: 8'), '{"a": 1}')
  const other = requestOf(plainLines.with(1, 'Authorization: Bearer csk_2'))
  const seen = [
    requestOf(plainLines),
    requestOf(plainLines, '[]'),
    requestOf(plainLines, '{"a": 1}'),
    longer,
    requestOf(plainLines).slice(0, -2),
    longer,
    other,
    'nonsense',
    other.slice(0, 40),
    other,
  ].map((bytes) => {
    const post = read(Buffer.from(bytes))
    return post && `${post.head.authorization} ${post.body}`
  })
  assert.deepEqual(seen, [
    'Bearer csk_1 {}',
    'Bearer csk_1 []',
    null,
    'Bearer csk_1 {"a": 1}',
    null,
    'Bearer csk_1 {"a": 1}',
    'Bearer csk_2 {}',
    null,
    null,
    'Bearer csk_2 {}',
  ])
})

test('keeps little of each connection', () => {
  const busy = createPlainPostReader()
  const before = process.memoryUsage().arrayBuffers
  const readers = Array.from({ length: 200 }, (_, index) => {
    const read = createPlainPostReader()
    assert.ok(read(Buffer.from(requestOf(plainLines))) !== null)
    // A pool of many heads would live on with each of them.
    for (let count = 0; count < 200; count += 1) {
      busy(Buffer.from(requestOf([...plainLines, `Accept: ${index} ${count}`])))
    }
    return read
  })
  const bytes = (process.memoryUsage().arrayBuffers - before) / readers.length
  assert.ok(bytes < 16 * 1024, `${bytes} bytes for each`)
})

test('reads no request otherwise than an HTTP server does', async () => {
  let readCount = 0
  await fc.assert(
    fc.asyncProperty(mutatedRequests(), async (request) => {
      const plain = readOnce(request)
      if (plain === null) return
      readCount += 1
      const { path, authorization } = plain.head
      const expected = { path, authorization, body: plain.body.toString('latin1') }
      assert.deepEqual(await readByHttpServer(request), [expected], JSON.stringify(request))
    }),
    { numRuns: 3_000 },
  )
  assert.ok(readCount > 100, `${readCount} were plain`)
})

function requestOf(lines: readonly string[], body = '{}'): string {
  return `POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`
}

function readOnce(request: string): PlainPost | null {
  return createPlainPostReader()(Buffer.from(request, 'latin1'))
}

/** Plain requests with some of their parts replaced, doubled, cut or joined. */
function mutatedRequests(): fc.Arbitrary<string> {
  const line = fc.constantFrom(
    ...plainLines,
    ...[
      'Accept: */*',
      'accept:a',
      'Connection: keep-alive',
      'Connection: close',
      'User-Agent: a b',
    ],
    ...['Transfer-Encoding: chunked', 'Content-Length: 0', 'Content-Length: 10', 'X: y', ' folded'],
    ...['Host: x, y', 'Host:', 'Authorization: ', 'Pragma: :', 'Baggage: \t', 'Upgrade: x'],
  )
  const piece = fc.constantFrom(
    '\r\n',
    '\n',
    '\r',
    ' ',
    ':',
    '{}',
    '0',
    '\r\n\r\n',
    'POST / HTTP/1.1',
    'é',
  )
  const lines = fc.oneof(
    fc.shuffledSubarray(plainLines, { minLength: 4 }),
    fc.tuple(fc.shuffledSubarray(plainLines, { minLength: 4 }), line).map((all) => all.flat()),
    fc.array(line, { maxLength: 7 }),
  )
  const body = fc.constantFrom('{}', '[]', '', '{"a": "b"}', '{}{}')
  const whole = fc.tuple(lines, body).map(([some, text]) => requestOf(some, text))
  const inserted = fc.tuple(whole, piece, fc.nat()).map(([request, text, at]) => {
    const index = at % (request.length + 1)
    return request.slice(0, index) + text + request.slice(index)
  })
  return fc.oneof(whole, inserted)
}

/** What node makes of the bytes: its requests, or `refused` for what it cannot read. */
async function readByHttpServer(bytes: string) {
  const seen: unknown[] = []
  const done = Promise.withResolvers<void>()
  const server = createServer(async (request, response) => {
    const { url, headers } = request
    const body = await text(request)
    seen.push({ path: url, authorization: headers.authorization, body })
    response.end()
    setImmediate(done.resolve)
  })
  server.on('clientError', () => {
    seen.push('refused')
    done.resolve()
  })
  const [client, served] = duplexPair()
  server.emit('connection', served)
  client.resume()
  client.write(bytes, 'latin1')
  await done.promise
  client.destroy()
  served.destroy()
  return seen
}
