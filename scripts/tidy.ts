/**
 * Checks the rules of the house (scripts/tidy/) on every file that git tracks or would track.
 * Prints `file:line: rule: what is wrong and what to do`, and fails on any finding.
 */
import { resolve } from 'node:path'
import { readSourceTree } from './tidy/read-source-tree.ts'
import { rules } from './tidy/rules.ts'
import type { SourceTree } from './tidy/source-tree.ts'

/** Every finding of every rule as a printable line, sorted by place. */
export function tidy(tree: SourceTree): string[] {
  return rules
    .flatMap((rule) => rule.check(tree).map((finding) => ({ ...finding, rule: rule.name })))
    .sort((a, b) => a.path.localeCompare(b.path) || a.line - b.line)
    .map(({ path, line, rule, message }) => `${path}:${line}: ${rule}: ${message}`)
}

if (import.meta.main) {
  const tree = readSourceTree(resolve(import.meta.dirname, '..'))
  const lines = tidy(tree)
  for (const line of lines) console.log(line)
  console.log(`tidy: ${tree.paths.length} files, ${rules.length} rules, ${lines.length} findings`)
  process.exitCode = lines.length === 0 ? 0 : 1
}
