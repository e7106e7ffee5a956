import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
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

test('off a terminal, every line is one JSON object with level, time and message', () => {
  const sink = createSink({ isTTY: false })
  const logger = createLogger({ level: 'info', stream: sink.stream, usesColor: true })
  logger.info({ port: 80 }, 'Listening')
  logger.debug('not logged')
  const [line = '', ...more] = sink.text().trimEnd().split('\n')
  assert.deepEqual(more, [])
  const { level, msg, port, time } = JSON.parse(line)
  assert.deepEqual({ level, msg, port }, { level: 'info', msg: 'Listening', port: 80 })
  assert.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
})

test('on a terminal, lines are for a person, with colours unless they are refused', () => {
  for (const usesColor of [true, false]) {
    const sink = createSink({ isTTY: true })
    createLogger({ level: 'info', stream: sink.stream, usesColor }).warn('Look out')
    assert.match(sink.text(), /WARN.*Look out/)
    assert.equal(sink.text().includes('\x1b['), usesColor)
  }
})

test('a secret that slips into the log is taken out, by its name or by its shape', () => {
  const values = [`csk_${'a'.repeat(43)}`, `whsec_${'b'.repeat(43)}=`, 'plain-by-name']
  for (const isTTY of [false, true]) {
    const sink = createSink({ isTTY })
    const logger = createLogger({ level: 'info', stream: sink.stream, usesColor: false })
    logger.info({ secret: values[2], request: { authorization: values[2] } }, 'by name')
    logger.info({ url: `http://x/?key=${values[0]}` }, `by shape ${values[1]}`)
    logger.error(new Error(`failed with ${values[0]}`))
    assert.match(sink.text(), /by name/)
    for (const value of values) assert.ok(!sink.text().includes(value), `${value} is gone`)
  }
})
