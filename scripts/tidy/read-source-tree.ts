import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createSourceTree, type SourceTree } from './source-tree.ts'

/** Reads what git tracks, and what it would track: new files that are not ignored. */
export function readSourceTree(root: string): SourceTree {
  const listed = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: LISTING_BYTES_MAX,
    },
  )
  const paths = [...new Set(listed.split('\0'))].filter((path) => path !== '').sort()
  const present = paths.filter((path) => isFile(join(root, path)))
  return createSourceTree(Object.fromEntries(present.map((path) => [path, read(join(root, path))])))
}

/** A hundred thousand long paths fit. */
const LISTING_BYTES_MAX = 16 * 1024 * 1024
/** Git looks as far for a zero byte when it decides that a file is binary. */
const BINARY_PROBE_BYTES = 8000

/** A tracked file may be deleted on disk, and a link may lead nowhere. */
function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

function read(path: string): string | null {
  const bytes = readFileSync(path)
  return bytes.subarray(0, BINARY_PROBE_BYTES).includes(0) ? null : bytes.toString('utf8')
}
