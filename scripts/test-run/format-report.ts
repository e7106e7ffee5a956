import type { TestCounts, TestFileReport } from './run-test-file.ts'

/** One line for a file that passed; every failure in full, with what the file printed. */
export function formatFile({ path, counts, durationMs, failures, output }: TestFileReport): string {
  const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`
  const verdict = `${path} (${counts.tests} tests${skipped}, ${Math.round(durationMs)} ms)`
  if (failures.length === 0) return `✔ ${verdict}`
  const details = failures.map(({ name, explanation }) => `✖ ${name}\n${indent(explanation)}`)
  const printed = output.trim() === '' ? [] : [`output of ${path}:\n${indent(output.trim())}`]
  return [`✖ ${verdict}`, indent([...details, ...printed].join('\n\n')), ''].join('\n')
}

/** Skips with their reasons, failures by name, Node's totals, and the counts as the last line. */
export function formatTotals(reports: readonly TestFileReport[], durationMs: number): string {
  const totals = countAll(reports)
  const skips = reports.flatMap(({ path, skips }) =>
    skips.map(({ name, reason }) => `﹣ ${path}: ${name}: ${reason}`),
  )
  const failures = reports.flatMap(({ path, failures }) =>
    failures.map(({ name }) => `✖ ${path}: ${name}`),
  )
  return [
    ...section('Skipped', skips),
    ...section('Failed', failures),
    '',
    `ℹ tests ${totals.tests}`,
    `ℹ suites ${totals.suites}`,
    `ℹ pass ${totals.passed}`,
    `ℹ fail ${totals.failed}`,
    `ℹ cancelled ${totals.cancelled}`,
    `ℹ skipped ${totals.skipped}`,
    `ℹ todo ${totals.todo}`,
    `ℹ duration_ms ${durationMs.toFixed(0)}`,
    '',
    formatCounts(totals),
  ].join('\n')
}

/** The sums over all files. */
export function countAll(reports: readonly TestFileReport[]): TestCounts {
  const sum = (key: keyof TestCounts) =>
    reports.reduce((total, { counts }) => total + counts[key], 0)
  return {
    tests: sum('tests'),
    suites: sum('suites'),
    passed: sum('passed'),
    failed: sum('failed'),
    cancelled: sum('cancelled'),
    skipped: sum('skipped'),
    todo: sum('todo'),
  }
}

/** `.ci/run` repeats this line at its end, and finds it by its form. */
function formatCounts({ passed, failed, cancelled, skipped, todo }: TestCounts): string {
  return `${passed} passed, ${failed + cancelled} failed, ${skipped + todo} skipped`
}

function section(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines]
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}
