import ts from 'typescript'
import type { Rule } from './rule.ts'
import { dottedName, lineOf, nodesOf } from './syntax.ts'

const testCall = /^(?:(?:t|context)\.)?(?:test|it|describe|suite)(?:\.(skip|only|todo))?$/
const contextCall = /^(?:t|context)\.(skip|todo)$/

/** A test runs, or says why not: `{ skip: 'no PostgreSQL here' }`. Nothing runs alone. */
export const skippedTests: Rule = {
  name: 'skipped-tests',
  check: (tree) =>
    tree.code
      .filter(({ isTest }) => isTest)
      .flatMap((file) =>
        [...nodesOf(file.syntax)].filter(ts.isCallExpression).flatMap((node) =>
          problemsOf(node).map((message) => ({
            path: file.path,
            line: lineOf(file, node),
            message,
          })),
        ),
      ),
}

const advice = {
  skip: "skips without a reason: write { skip: 'why' }, or a value that is a reason or false",
  only: 'runs alone, and hides every other test: remove "only"',
  todo: 'is a test to come: write it, or leave it out',
}

function problemsOf(call: ts.CallExpression): string[] {
  const callee = dottedName(call.expression) ?? ''
  const fromContext = contextCall.exec(callee)?.[1]
  if (fromContext === 'skip') return call.arguments.length === 0 ? [advice.skip] : []
  if (fromContext === 'todo') return [advice.todo]
  const match = testCall.exec(callee)
  if (match === null) return []
  const chained = match[1] as keyof typeof advice | undefined
  return [...(chained === undefined ? [] : [advice[chained]]), ...optionProblems(call)]
}

function optionProblems(call: ts.CallExpression): string[] {
  return [...call.arguments]
    .filter(ts.isObjectLiteralExpression)
    .flatMap(({ properties }) => [...properties])
    .filter(ts.isPropertyAssignment)
    .flatMap(({ name, initializer }) => {
      const option = name.getText()
      if (option === 'skip' && mayBeBareTrue(initializer)) return [advice.skip]
      if (option === 'only' && initializer.kind !== ts.SyntaxKind.FalseKeyword) return [advice.only]
      return option === 'todo' ? [advice.todo] : []
    })
}

/** True for what can only yield a boolean: `true`, `!x`, `a === b`, or a choice that ends in one. */
function mayBeBareTrue(node: ts.Expression): boolean {
  if (node.kind === ts.SyntaxKind.TrueKeyword) return true
  if (ts.isParenthesizedExpression(node)) return mayBeBareTrue(node.expression)
  if (ts.isPrefixUnaryExpression(node)) return node.operator === ts.SyntaxKind.ExclamationToken
  if (ts.isConditionalExpression(node)) {
    return mayBeBareTrue(node.whenTrue) || mayBeBareTrue(node.whenFalse)
  }
  if (!ts.isBinaryExpression(node)) return ts.isStringLiteralLike(node) && node.text === ''
  if (node.operatorToken.kind === ts.SyntaxKind.AmpersandAmpersandToken) {
    return mayBeBareTrue(node.right)
  }
  return comparisons.has(node.operatorToken.kind)
}

const comparisons: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsToken,
  ts.SyntaxKind.LessThanToken,
  ts.SyntaxKind.LessThanEqualsToken,
  ts.SyntaxKind.GreaterThanToken,
  ts.SyntaxKind.GreaterThanEqualsToken,
])
