import { resolve } from 'node:path'
import { run } from 'node:test'
import type { TestEvent } from 'node:test/reporters'
import { inspect } from 'node:util'

/** How many tests ended in which way; suites are not counted. */
export type TestCounts = {
  tests: number
  suites: number
  passed: number
  failed: number
  /** Begun, and not ended in time. They count as failures. */
  cancelled: number
  skipped: number
  todo: number
}

/** What became of one test file. */
export type TestFileReport = {
  /** From the root of the repository. */
  path: string
  counts: TestCounts
  durationMs: number
  failures: { name: string; explanation: string }[]
  skips: { name: string; reason: string }[]
  /** The end of what the file printed, seeds and diagnostics included. */
  output: string
}

export type RunTestFileOptions = {
  root: string
  /** From the root, with forward slashes. */
  path: string
  /** Ends a single test. */
  testTimeoutMs: number
  /** Ends the process of the file, also where all tests are done and something keeps it alive. */
  fileTimeoutMs: number
}

/** Runs a file in a process of its own. It fails also when it holds no test, or does not exit. */
export async function runTestFile(options: RunTestFileOptions): Promise<TestFileReport> {
  const { root, path, testTimeoutMs, fileTimeoutMs } = options
  const file = resolve(root, path)
  const collector = createCollector({ path, file, fileTimeoutMs })
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(), fileTimeoutMs)
  const events = run({
    files: [file],
    cwd: root,
    concurrency: 1,
    timeout: testTimeoutMs,
    signal: deadline.signal,
  })
  for await (const event of events) collector.take(event)
  clearTimeout(timer)
  return collector.report
}

/** Enough to see how a failure came about. */
const OUTPUT_CHARS_MAX = 64 * 1024

type Collector = { report: TestFileReport; take(event: TestEvent): void }

function createCollector(options: {
  path: string
  file: string
  fileTimeoutMs: number
}): Collector {
  const { path, file, fileTimeoutMs } = options
  const names = new Map<number, string>()
  const report: TestFileReport = {
    path,
    counts: { tests: 0, suites: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 },
    durationMs: 0,
    failures: [],
    skips: [],
    output: '',
  }
  let hasTests = true

  function print(text: string): void {
    report.output = (report.output + text).slice(-OUTPUT_CHARS_MAX)
  }

  /** Node reports the file itself as a test where it crashed, hung, or holds no test. */
  function takeFileResult(event: TestEvent & { type: 'test:pass' | 'test:fail' }): void {
    if (event.type === 'test:pass') {
      hasTests = false
      report.failures.push({ name: path, explanation: 'The file holds no test.' })
      return
    }
    const isTimeout = failureType(event.data.details.error) === 'testAborted'
    const explanation = isTimeout
      ? `The process did not end within ${fileTimeoutMs} ms: something keeps it alive.`
      : 'The process failed outside of its tests; its output says why.'
    report.failures.push({ name: path, explanation })
  }

  function takeResult(event: TestEvent & { type: 'test:pass' | 'test:fail' }): void {
    const { data } = event
    if (data.name === file && data.nesting === 0) {
      takeFileResult(event)
      return
    }
    const name = names.get(data.testId) ?? data.name
    if (event.type === 'test:pass') {
      if (data.skip !== undefined) report.skips.push({ name, reason: `${data.skip}` })
      return
    }
    const { error } = event.data.details
    // The test within has been reported already.
    if (failureType(error) === 'subtestsFailed') return
    report.failures.push({ name, explanation: explain(error) })
  }

  function take(event: TestEvent): void {
    if (event.type === 'test:enqueue') {
      const { testId, parentId, name } = event.data
      const parent = parentId === undefined ? undefined : names.get(parentId)
      names.set(testId, parent === undefined ? name : `${parent} › ${name}`)
    } else if (event.type === 'test:pass' || event.type === 'test:fail') {
      takeResult(event)
    } else if (event.type === 'test:stdout' || event.type === 'test:stderr') {
      print(event.data.message)
    } else if (event.type === 'test:diagnostic' && event.data.entryFile !== undefined) {
      print(`${event.data.message}\n`)
    } else if (event.type === 'test:summary' && event.data.file === undefined) {
      report.durationMs = event.data.duration_ms
      report.counts = hasTests ? settle(event.data.counts, report.failures.length) : noTests
    }
  }

  return { report, take }
}

const noTests: TestCounts = {
  ...{ tests: 1, suites: 0, passed: 0, failed: 1 },
  ...{ cancelled: 0, skipped: 0, todo: 0 },
}

/** A hook that fails after the last test fails its suite, which Node does not count as a test. */
function settle(counts: Omit<TestCounts, 'failed'>, failureCount: number): TestCounts {
  const { tests, suites, passed, cancelled, skipped, todo } = counts
  const failed = tests - passed - cancelled - skipped - todo
  const uncounted = failed + cancelled === 0 ? failureCount : 0
  return {
    ...{ tests: tests + uncounted, suites, passed, failed: failed + uncounted },
    ...{ cancelled, skipped, todo },
  }
}

function failureType(error: unknown): unknown {
  return error instanceof Error && 'failureType' in error ? error.failureType : undefined
}

/** Node wraps what the test threw; what it threw, with its diff and its stack, is what helps. */
function explain(error: Error): string {
  const thrown = error.cause ?? error
  return typeof thrown === 'string' ? thrown : inspect(thrown, { depth: 6, breakLength: 100 })
}
