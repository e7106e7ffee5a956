import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { TestFileReport } from './run-test-file.ts'

const header =
  "import { after, describe, test } from 'node:test'\nimport assert from 'node:assert/strict'\n"

/** Node refuses to run tests within a test: a process without this mark stands between. */
async function report(body: string, fileTimeoutMs = 60_000): Promise<TestFileReport> {
  const root = mkdtempSync(join(tmpdir(), 'test-run-'))
  try {
    writeFileSync(join(root, 'case.test.ts'), header + body)
    const options = { root, path: 'case.test.ts', testTimeoutMs: 30_000, fileTimeoutMs }
    const runner = join(root, 'runner.mjs')
    writeFileSync(
      runner,
      `import { runTestFile } from ${JSON.stringify(import.meta.resolve('./run-test-file.ts'))}
      console.log(JSON.stringify(await runTestFile(${JSON.stringify(options)})))`,
    )
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const child = spawn(process.execPath, [runner], { env })
    const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
    assert.equal(errors, '')
    return JSON.parse(output) as TestFileReport
  } finally {
    rmSync(root, { recursive: true })
  }
}

test('counts what passed and what was skipped, with its reason', async () => {
  const { counts, failures, skips } = await report(
    "test('a', () => {})\ndescribe('g', () => { test('b', { skip: 'no b here' }, () => {}) })",
  )
  assert.deepEqual(
    { ...counts },
    {
      ...{ tests: 2, suites: 1, passed: 1, failed: 0, cancelled: 0, skipped: 1, todo: 0 },
    },
  )
  assert.deepEqual(failures, [])
  assert.deepEqual(skips, [{ name: 'g › b', reason: 'no b here' }])
})

test('explains a failure once, with the names of its suites and the output', async () => {
  const { counts, failures, output } = await report(
    "describe('g', () => { test('b', (t) => { t.diagnostic('seed 7'); console.log('printed'); assert.equal(1, 2) }) })",
  )
  assert.equal(counts.failed, 1)
  assert.deepEqual(
    failures.map(({ name }) => name),
    ['g › b'],
  )
  assert.match(failures[0]?.explanation ?? '', /1 !== 2/)
  assert.match(output, /printed/)
  assert.match(output, /seed 7/)
})

test('fails a file that holds no test', async () => {
  const { counts, failures } = await report('')
  assert.deepEqual([counts.passed, counts.failed], [0, 1])
  assert.match(failures[0]?.explanation ?? '', /no test/)
})

test('fails a file that crashes', async () => {
  const { counts, failures, output } = await report("throw new Error('at the start')")
  assert.equal(counts.failed, 1)
  assert.equal(failures.length, 1)
  assert.match(output, /at the start/)
})

test('fails a file that does not exit', async () => {
  const { counts, failures } = await report(
    "test('a', () => { setInterval(() => {}, 1000) })",
    2000,
  )
  // On a slow machine the time is over before the test within has begun: it may be missing.
  assert.equal(counts.cancelled, 1)
  assert.match(failures[0]?.explanation ?? '', /keeps it alive/)
})

test('fails a file whose last hook fails', async () => {
  const { counts, failures } = await report(
    "describe('g', () => { test('a', () => {}); after(() => { throw new Error('hook') }) })",
  )
  assert.deepEqual([counts.passed, counts.failed], [1, 1])
  assert.match(failures[0]?.explanation ?? '', /hook/)
})
