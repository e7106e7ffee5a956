import { globSync } from 'node:fs'

/** Test files by kind: of one part, and of the whole server. */
export type TestFiles = { unit: string[]; endToEnd: string[] }

const unitPatterns = [
  '{sdk,console}/{src,test}/**/*.test.ts',
  'scripts/**/*.test.ts',
  'server/src/**/*.test.ts',
  'bench/**/*.test.ts',
]
const endToEndPatterns = ['server/test/**/*.test.ts']

/**
 * Finds the test files under `root`. Filters are files or folders from the root; without any, all
 * files are selected. A filter that selects nothing is an error of the caller: it is returned.
 */
export function selectFiles(
  root: string,
  filters: readonly string[],
): TestFiles & { unmatched: string[] } {
  const wanted = filters.map((filter) => filter.replace(/^\.\//, '').replace(/\/+$/, ''))
  const find = (patterns: string[]) =>
    globSync(patterns, { cwd: root })
      .map((path) => path.replaceAll('\\', '/'))
      .filter((path) => wanted.length === 0 || wanted.some((filter) => isWithin(path, filter)))
      .sort()
  const unit = find(unitPatterns)
  const endToEnd = find(endToEndPatterns)
  const unmatched = wanted.filter(
    (filter) => ![...unit, ...endToEnd].some((path) => isWithin(path, filter)),
  )
  return { unit, endToEnd, unmatched }
}

function isWithin(path: string, filter: string): boolean {
  return filter === '.' || path === filter || path.startsWith(`${filter}/`)
}
