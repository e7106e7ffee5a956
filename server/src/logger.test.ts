import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { sealAccessToken } from './core/access-token.ts'
import { makeApiKeyValue } from './core/api-key.ts'
import { makeClaimToken } from './core/claim-link.ts'
import { dialectNames } from './core/dialect.ts'
import { makePortalToken } from './core/portal-session.ts'
import { createSecretBox } from './core/secret-box.ts'
import { generateEd25519Secret } from './formats/ed25519.ts'
import { formats } from './formats/registry.ts'
import { createLogger } from './logger.ts'

function createSink({ isTTY }: { isTTY: boolean }) {
  let text = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk
      done()
    },
  })
  return { stream: Object.assign(stream, { isTTY }), text: () => text }
}

test('off a terminal, every line is one JSON object with level, time and message', async () => {
  const sink = createSink({ isTTY: false })
  const logger = await createLogger({ level: 'info', stream: sink.stream, usesColor: true })
  logger.info({ port: 80 }, 'Listening')
  logger.debug('not logged')
  const [line = '', ...more] = sink.text().trimEnd().split('\n')
  assert.deepEqual(more, [])
  const { level, msg, port, time } = JSON.parse(line)
  assert.deepEqual({ level, msg, port }, { level: 'info', msg: 'Listening', port: 80 })
  assert.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
})

test('on a terminal, lines are for a person, with colours unless they are refused', async () => {
  for (const usesColor of [true, false]) {
    const sink = createSink({ isTTY: true })
    const logger = await createLogger({ level: 'info', stream: sink.stream, usesColor })
    logger.warn('Look out')
    assert.match(sink.text(), /WARN.*Look out/)
    assert.equal(sink.text().includes('\x1b['), usesColor)
  }
})

test('a secret that slips into the log is taken out, by its name or by its shape', async () => {
  const values = [`csk_${'a'.repeat(43)}`, `whsec_${'b'.repeat(43)}=`, 'plain-by-name']
  for (const isTTY of [false, true]) {
    const sink = createSink({ isTTY })
    const logger = await createLogger({ level: 'info', stream: sink.stream, usesColor: false })
    logger.info({ secret: values[2], request: { authorization: values[2] } }, 'by name')
    logger.info({ url: `http://x/?key=${values[0]}` }, `by shape ${values[1]}`)
    logger.error(new Error(`failed with ${values[0]}`))
    assert.match(sink.text(), /by name/)
    for (const value of values) assert.ok(!sink.text().includes(value), `${value} is gone`)
  }
})

test('every kind of credential that the server makes is taken out by its shape', async () => {
  const secretBox = createSecretBox({ masterKeys: [randomBytes(32)], randomBytes })
  const made: [kind: string, value: string][] = [
    ...[null, ...dialectNames].map((dialect): [string, string] => [
      `key of ${dialect}`,
      makeApiKeyValue(randomBytes, dialect).value,
    ]),
    ...Object.values(formats).map((format): [string, string] => [
      `secret of ${format.name}`,
      format.generateSecret(randomBytes),
    ]),
    ['portal token', makePortalToken(randomBytes)],
    ['Ed25519 secret', generateEd25519Secret(randomBytes)],
    ['claim token', makeClaimToken(randomBytes)],
    ['access token', sealAccessToken(secretBox, { keyId: `key_${'0'.repeat(32)}`, expiresAt: 1 })],
  ]
  for (const [kind, value] of made) {
    const sink = createSink({ isTTY: false })
    const logger = await createLogger({ level: 'info', stream: sink.stream, usesColor: false })
    logger.info({ text: `a=${value}&b` }, `said ${value}.`)
    logger.error(new Error(`one line\n${value}`))
    // Enough of it to be worth something, wherever it was cut.
    const [, middle = ''] = value.match(/^.{12}(.{12})/) ?? []
    assert.equal(middle.length, 12)
    assert.ok(!sink.text().includes(middle), `${kind}: ${sink.text()}`)
    assert.match(sink.text(), /"msg":"said \[redacted\]\."/)
  }
})
