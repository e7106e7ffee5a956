/**
 * The test command: `npm test` checks the tree and runs every test; `npm test -- <path> …` runs
 * the test files at these paths only. Fails when anything failed, and when no test ran.
 * `--store postgres` runs the end-to-end tests on a PostgreSQL, without the checks.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from '../server/test/support/postgres-server.ts'
import { check } from './check.ts'
import { repositoryRoot } from './run-node.ts'
import { isAlone } from './test-run/alone.ts'
import { countAll, formatFile, formatTotals } from './test-run/format-report.ts'
import { runTestFile, type TestFileReport } from './test-run/run-test-file.ts'
import { selectFiles } from './test-run/select-files.ts'
import { isSqliteOnly } from './test-run/sqlite-only.ts'

/** Two cores: a third file would only slow down the others. */
const FILES_AT_ONCE = 2
/** There a change of an endpoint is answered a second later, so that a file mostly waits. */
const FILES_AT_ONCE_ON_POSTGRES = 3
/** What the long forms of tests take more than the normal ones. */
const TIME_FACTOR = process.env.COUNTERSIGN_TEST_LONG === undefined ? 1 : 10
/** Far above what an idle machine takes: a host that others use can be four times as slow. */
const TEST_TIMEOUT_MS = 4 * 60_000 * TIME_FACTOR
const FILE_TIMEOUT_MS = 6 * 60_000 * TIME_FACTOR

/** Runs the files, `atOnce` at a time, and prints each report as soon as it is there. */
async function runAll(paths: readonly string[], atOnce: number): Promise<TestFileReport[]> {
  const waiting = [...paths]
  const reports: TestFileReport[] = []
  async function runNext(): Promise<void> {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      const report = await runTestFile({
        root: repositoryRoot,
        path,
        testTimeoutMs: TEST_TIMEOUT_MS,
        fileTimeoutMs: FILE_TIMEOUT_MS,
      })
      console.log(formatFile(report))
      reports.push(report)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, runNext))
  return reports.sort((a, b) => a.path.localeCompare(b.path))
}

/** The unit tests know their stores; of the others, those that can be on any. */
function select(filters: readonly string[]) {
  const selected = selectFiles(repositoryRoot, filters)
  if (database === null) return selected
  return {
    ...selected,
    unit: [],
    endToEnd: selected.endToEnd.filter((path) => !isSqliteOnly(path)),
  }
}

const { values, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: { store: { type: 'string', default: 'sqlite' } },
})
const database = values.store === 'postgres' ? await startPostgres() : null
if (database !== null) process.env.COUNTERSIGN_TEST_POSTGRES = database.url
// Each file is a process of its own, and many start servers: what one has compiled, the others read.
const compileCache = await mkdtemp(join(tmpdir(), 'countersign-compiled-'))
process.env.NODE_COMPILE_CACHE = compileCache
const startedAtMs = performance.now()
const filesAtOnce = database === null ? FILES_AT_ONCE : FILES_AT_ONCE_ON_POSTGRES
const { unit, endToEnd, unmatched } = select(filters)
for (const filter of unmatched) console.log(`✖ ${filter} is or holds no test file`)
const isTidy = database !== null || filters.length > 0 || (await check())
const reports = [
  ...(await runAll([...unit, ...endToEnd.filter((path) => !isAlone(path))], filesAtOnce)),
  ...(await runAll(endToEnd.filter(isAlone), 1)),
]
await database?.dispose()
await rm(compileCache, { recursive: true, force: true })
const totals = countAll(reports)
if (totals.tests === 0) console.log('✖ no test ran')
if (!isTidy) console.log('\n✖ the checks at the beginning failed')
console.log(formatTotals(reports, performance.now() - startedAtMs))
const haveTestsPassed = totals.tests > 0 && reports.every(({ failures }) => failures.length === 0)
process.exitCode = haveTestsPassed && isTidy && unmatched.length === 0 ? 0 : 1
