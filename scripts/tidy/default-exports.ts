import ts from 'typescript'
import type { Rule } from './rule.ts'
import { lineOf, nodesOf } from './syntax.ts'

/** A thing has one name, everywhere. Files that a tool reads as its configuration are exempt. */
export const defaultExports: Rule = {
  name: 'default-exports',
  check: (tree) =>
    tree.code
      .filter(({ path }) => !/\.config\.[cm]?[jt]s$/.test(path))
      .flatMap((file) =>
        [...nodesOf(file.syntax)].filter(isDefaultExport).map((node) => ({
          path: file.path,
          line: lineOf(file, node),
          message: 'has a default export: export it by its name',
        })),
      ),
}

function isDefaultExport(node: ts.Node): boolean {
  if (ts.isExportAssignment(node)) return true
  if (ts.isExportSpecifier(node)) return node.name.text === 'default'
  const modifiers = ts.canHaveModifiers(node) ? ts.getModifiers(node) : undefined
  return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword) ?? false
}
