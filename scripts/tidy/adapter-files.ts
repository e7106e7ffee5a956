import type { Rule } from './rule.ts'
import { isTestPath, type SourceTree } from './source-tree.ts'

const STORAGE = 'server/src/storage/'

/** Files that only one database needs. Path under the storage folder → reason. */
const exempt: Readonly<Record<string, string>> = {}

/** Adapters have the same files, so that the two ways to do one thing can be read side by side. */
export const adapterFiles: Rule = {
  name: 'adapter-files',
  check: (tree) => {
    const byAdapter = codeByAdapter(tree)
    return [...byAdapter].flatMap(([adapter, files]) =>
      [...byAdapter.keys()]
        .filter((other) => other !== adapter)
        .flatMap((other) =>
          [...files]
            .filter((file) => !byAdapter.get(other)?.has(file))
            .filter((file) => !Object.hasOwn(exempt, `${adapter}/${file}`))
            .map((file) => ({
              path: `${STORAGE}${adapter}/${file}`,
              line: 1,
              message: `has no counterpart in ${STORAGE}${other}: name both files alike`,
            })),
        ),
    )
  },
}

function codeByAdapter(tree: SourceTree): Map<string, Set<string>> {
  const byAdapter = new Map<string, Set<string>>()
  for (const { path } of tree.code) {
    const [adapter, ...rest] = path.slice(STORAGE.length).split('/')
    if (!path.startsWith(STORAGE) || isTestPath(path) || adapter === undefined) continue
    if (rest.length === 0) continue
    const files = byAdapter.get(adapter) ?? new Set()
    byAdapter.set(adapter, files.add(rest.join('/')))
  }
  return byAdapter
}
