import ts from 'typescript'
import type { Rule } from './rule.ts'
import type { CodeFile } from './source-tree.ts'
import { dottedName, lineOf, nodesOf } from './syntax.ts'

/** What fits on a screen. */
const FUNCTION_LINES_MAX = 70

/**
 * Functions fit on a screen. A factory (mostly nested functions, and it returns an object) counts
 * only its own lines; so does a function of a test file for the tests that it declares.
 */
export const functionLength: Rule = {
  name: 'function-length',
  check: (tree) =>
    tree.code.flatMap((file) =>
      functionsIn(file.syntax)
        .filter((node) => !(file.isTest && isTestCallback(node)))
        .flatMap((node) => {
          const lines = ownLines(file, node)
          if (lines <= FUNCTION_LINES_MAX) return []
          const message =
            `${nameOf(node)} has ${lines} lines, at most ${FUNCTION_LINES_MAX}: ` +
            'give its parts names of their own'
          return [{ path: file.path, line: lineOf(file, node), message }]
        }),
    ),
}

type FunctionNode = ts.FunctionLikeDeclaration & { body: ts.ConciseBody }

function functionsIn(root: ts.Node): FunctionNode[] {
  return [...nodesOf(root)].filter(isFunctionNode)
}

function isFunctionNode(node: ts.Node): node is FunctionNode {
  return ts.isFunctionLike(node) && 'body' in node && node.body !== undefined
}

function isTestCallback(node: FunctionNode): boolean {
  if (!ts.isCallExpression(node.parent)) return false
  const callee = dottedName(node.parent.expression) ?? ''
  return /^(?:t\.)?(?:test|it|describe|suite|before|after|beforeEach|afterEach)\b/.test(callee)
}

function ownLines(file: CodeFile, node: FunctionNode): number {
  const nested = directlyNested(node)
  const nestedLines = sum(nested.map((inner) => lineCount(file, inner)))
  const isFactory = nestedLines * 2 >= lineCount(file, node.body) && returnsObject(node)
  if (isFactory) return lineCount(file, node) - nestedLines
  const tests = file.isTest ? nested.filter(isTestCallback) : []
  return lineCount(file, node) - sum(tests.map((inner) => lineCount(file, inner)))
}

/** Functions within, without those that stand in one of them. */
function directlyNested(node: FunctionNode): FunctionNode[] {
  const found: FunctionNode[] = []
  const visit = (child: ts.Node): void => {
    if (isFunctionNode(child)) found.push(child)
    else ts.forEachChild(child, visit)
  }
  ts.forEachChild(node.body, visit)
  return found
}

function lineCount(file: CodeFile, node: ts.Node): number {
  const last = file.syntax.getLineAndCharacterOfPosition(node.getEnd()).line + 1
  return last - lineOf(file, node) + 1
}

/** `=> ({ … })`, or a last `return` of an object literal, or of a constant that holds one. */
function returnsObject({ body }: FunctionNode): boolean {
  if (!ts.isBlock(body)) return isObject(body)
  const last = body.statements.findLast(ts.isReturnStatement)?.expression
  if (last === undefined) return false
  if (!ts.isIdentifier(last)) return isObject(last)
  return body.statements
    .filter(ts.isVariableStatement)
    .flatMap((statement) => [...statement.declarationList.declarations])
    .some(
      ({ name, initializer }) =>
        ts.isIdentifier(name) &&
        name.text === last.text &&
        initializer !== undefined &&
        isObject(initializer),
    )
}

function isObject(node: ts.Expression): boolean {
  if (ts.isParenthesizedExpression(node) || ts.isSatisfiesExpression(node)) {
    return isObject(node.expression)
  }
  if (ts.isAsExpression(node)) return isObject(node.expression)
  return ts.isObjectLiteralExpression(node)
}

function nameOf(node: FunctionNode): string {
  if (node.name !== undefined) return node.name.getText()
  const holder = node.parent
  if (ts.isVariableDeclaration(holder) || ts.isPropertyAssignment(holder)) {
    return holder.name.getText()
  }
  return 'this function'
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
