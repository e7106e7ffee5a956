import ts from 'typescript'
import type { Rule } from './rule.ts'
import { lineOf, nodesOf } from './syntax.ts'

const statements = [
  /^\s*select\b[\s\S]*\bfrom\b/im,
  /^\s*with\s+(?:recursive\s+)?\w+(?:\s*\([^)]*\))?\s+as\b/im,
  /^\s*insert\s+(?:or\s+\w+\s+)?into\b/im,
  /^\s*update\s+\S+\s+set\b/im,
  /^\s*delete\s+from\b/im,
  /^\s*(?:create|alter|drop)\s+(?:(?:unique|temp|temporary)\s+)?(?:table|index|view|trigger)\b/im,
  /^\s*(?:pragma\s+\w+|begin\s+(?:immediate|exclusive|transaction))\b/im,
]

/**
 * Statements live in `server/src/storage`. Keywords count in lower or in upper case only, so that
 * a sentence such as "Select a project from the list" is none.
 */
export const sqlOutsideStorage: Rule = {
  name: 'sql-outside-storage',
  check: (tree) =>
    tree.code
      .filter(
        ({ path, isTest }) =>
          /^(?:server|sdk|console)\/src\//.test(path) &&
          !path.startsWith('server/src/storage/') &&
          !isTest,
      )
      .flatMap((file) =>
        [...nodesOf(file.syntax)].filter(isSql).map((node) => ({
          path: file.path,
          line: lineOf(file, node),
          message:
            'holds SQL: add what you need to the storage port, and the query to its adapters',
        })),
      ),
}

function isSql(node: ts.Node): boolean {
  const text = textOf(node)
  if (text === undefined) return false
  return statements.some((statement) => {
    const keyword = /\w+/.exec(statement.exec(text)?.[0] ?? '')?.[0]
    if (keyword === undefined) return false
    return keyword === keyword.toLowerCase() || keyword === keyword.toUpperCase()
  })
}

function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text
  if (!ts.isTemplateExpression(node)) return undefined
  return [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)].join('x')
}
