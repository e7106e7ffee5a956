import ts from 'typescript'
import type { Finding, Rule } from './rule.ts'
import type { CodeFile } from './source-tree.ts'
import { dottedName, lineOf, moduleReferencesOf, nodesOf } from './syntax.ts'

/** The two files that ask the machine; everyone else is handed the answer. */
const sources = ['server/src/clock.ts', 'server/src/random.ts']

const clockNames =
  /^(?:globalThis\.)?(?:Date\.now|performance\.(?:now|timeOrigin)|process\.(?:hrtime|uptime)|Temporal\.Now)\b/
const randomNames =
  /\b(?:Math\.random|crypto\.(?:randomBytes|randomUUID|randomUUIDv7|getRandomValues|randomInt|randomFill|randomFillSync))$/
const randomImports = [
  ...['randomBytes', 'randomUUID', 'randomUUIDv7', 'getRandomValues', 'randomInt'],
  ...['randomFill', 'randomFillSync', 'webcrypto'],
]
const timers = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask']

/** Time and randomness come in as arguments: a test can then stand still, or leap, or repeat. */
export const clockAndRandomness: Rule = {
  name: 'clock-and-randomness',
  check: (tree) =>
    tree.code
      .filter(
        ({ path, isTest }) => path.startsWith('server/src/') && !sources.includes(path) && !isTest,
      )
      .flatMap((file) => [...checkNodes(file), ...checkImports(file)]),
}

function checkNodes(file: CodeFile): Finding[] {
  const isPure = /^server\/src\/(?:core|formats)\//.test(file.path)
  return [...nodesOf(file.syntax)].flatMap((node) => {
    const what = ambientSource(node) ?? (isPure ? timerCall(node) : undefined)
    return what === undefined ? [] : [finding(file.path, lineOf(file, node), what)]
  })
}

function checkImports(file: CodeFile): Finding[] {
  return moduleReferencesOf(file)
    .filter(({ specifier }) => /^(?:node:)?crypto$/.test(specifier))
    .flatMap(({ names, line }) =>
      randomImports.filter((name) => names.has(name)).map((name) => finding(file.path, line, name)),
    )
}

function finding(path: string, line: number, what: string): Finding {
  const message = `uses ${what}: take a clock or a random source as an argument`
  return { path, line, message }
}

function ambientSource(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) {
    const name = dottedName(node)
    // The outer node of a longer chain (process.hrtime.bigint) reports for the inner one.
    if (name === undefined || ts.isPropertyAccessExpression(node.parent)) return undefined
    return clockNames.test(name) || randomNames.test(name) ? name : undefined
  }
  const isDate =
    (ts.isNewExpression(node) || ts.isCallExpression(node)) &&
    dottedName(node.expression) === 'Date'
  if (!isDate) return undefined
  if (ts.isCallExpression(node)) return 'Date()'
  return (node.arguments?.length ?? 0) === 0 ? 'new Date()' : undefined
}

function timerCall(node: ts.Node): string | undefined {
  if (!ts.isCallExpression(node)) return undefined
  const name = dottedName(node.expression)
  return name !== undefined && timers.includes(name) ? name : undefined
}
