import ts from 'typescript'
import type { Rule } from './rule.ts'
import type { CodeFile } from './source-tree.ts'
import { dottedName, lineOf, moduleReferencesOf, nodesOf } from './syntax.ts'

const CONFIG = 'server/src/config.ts'

/** The environment is read in one place, where every option has its default and its check. */
export const environment: Rule = {
  name: 'environment',
  check: (tree) =>
    tree.code
      .filter(
        ({ path, isTest }) => /^(?:server|console)\//.test(path) && path !== CONFIG && !isTest,
      )
      .flatMap((file) =>
        linesOf(file).map((line) => ({
          path: file.path,
          line,
          message: `reads process.env: add the option to ${CONFIG} and take its value as an argument`,
        })),
      ),
}

function linesOf(file: CodeFile): number[] {
  const imported = moduleReferencesOf(file).filter(
    ({ specifier, names }) => /^(?:node:)?process$/.test(specifier) && names.has('env'),
  )
  const read = [...nodesOf(file.syntax)].filter(
    (node) => isEnvAccess(node) || isEnvDestructuring(node),
  )
  return [...imported.map(({ line }) => line), ...read.map((node) => lineOf(file, node))]
}

function isEnvAccess(node: ts.Node): boolean {
  const name = dottedName(node)
  return name === 'process.env' || name === 'globalThis.process.env'
}

function isEnvDestructuring(node: ts.Node): boolean {
  if (!ts.isVariableDeclaration(node) || !ts.isObjectBindingPattern(node.name)) return false
  if (node.initializer === undefined || dottedName(node.initializer) !== 'process') return false
  return node.name.elements.some(
    ({ propertyName, name }) => (propertyName ?? name).getText() === 'env',
  )
}
