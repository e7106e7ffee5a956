import type { Rule } from './rule.ts'

/** Names that say nothing about what is inside. */
const empty = new Set([
  'util',
  'utils',
  'helper',
  'helpers',
  'common',
  'misc',
  'manager',
  'managers',
])

const kebabCase = /^\.?[a-z0-9]+(?:[-.]+[a-z0-9]+)*$/
/** README.md, LICENSE, ISSUE_TEMPLATE and the one file whose tool wants a capital. */
const conventional = /^(?:[A-Z]+(?:_[A-Z]+)*(?:\.md)?|Dockerfile(?:\.[a-z]+)?)$/

/** Files and folders are kebab-case, and named after what they hold. */
export const fileNames: Rule = {
  name: 'file-names',
  check: (tree) =>
    tree.paths.flatMap((path) =>
      path.split('/').flatMap((name) => {
        const parts = name.toLowerCase().split(/[-.]/)
        const word = parts.find((part) => empty.has(part))
        if (word !== undefined) {
          const message = `"${word}" in a name says nothing: name it after what it holds`
          return [{ path, line: 1, message }]
        }
        if (kebabCase.test(name) || conventional.test(name)) return []
        return [{ path, line: 1, message: `${name} is not kebab-case: rename it` }]
      }),
    ),
}
