import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findPostgres, noPostgres } from '../support/postgres-server.ts'
import { startNodes } from '../support/start-nodes.ts'
import { type CountedLine, openCountedLine } from '../support/statement-count.ts'
import { until } from '../support/until.ts'

const skip = findPostgres() === null && noPostgres
const seconds = process.env.COUNTERSIGN_TEST_LONG ? 100 : 10

test('nodes that have nothing to do ask the database at most once a second each', {
  skip,
}, async (t) => {
  const cluster = await startNodes({ count: 0 })
  const lines: CountedLine[] = []
  t.after(async () => {
    await cluster.dispose()
    await Promise.all(lines.map((line) => line.close()))
  })
  // The first leads, and so has more to ask.
  for (let n = 0; n < 2; n++) {
    const line = await openCountedLine(cluster.databaseUrl)
    lines.push(line)
    await cluster.add({ COUNTERSIGN_DATABASE_URL: line.url })
  }
  const askedOnce = lines.map(() => false)
  await until('the start is over, and each has looked for what is due', () => {
    for (const [n, line] of lines.entries()) {
      if (line.take().some((text) => text.includes('due_deliveries'))) askedOnce[n] = true
    }
    return askedOnce.every(Boolean)
  })
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000))
  for (const [n, line] of lines.entries()) {
    const asked = line.take()
    t.diagnostic(`node ${n}: ${asked.length} statements in ${seconds} s`)
    assert.ok(asked.length > 0, 'the line counts')
    assert.ok(asked.length <= seconds, `node ${n} asked:\n${asked.join('\n')}`)
  }
})
