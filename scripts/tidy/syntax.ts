import ts from 'typescript'
import type { CodeFile, TextFile } from './source-tree.ts'

/** What one file takes from another module. */
export type ModuleReference = {
  specifier: string
  line: number
  /** Erased before the program runs. */
  isTypeOnly: boolean
  /** Imported name → local name; '*' for the namespace, 'default' for the default export. */
  names: ReadonlyMap<string, string>
}

/** Every node of a file, parents before children, in source order. */
export function* nodesOf(root: ts.Node): Generator<ts.Node> {
  const waiting: ts.Node[] = [root]
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    yield node
    const children: ts.Node[] = []
    ts.forEachChild(node, (child) => {
      children.push(child)
    })
    waiting.push(...children.reverse())
  }
}

/** The line on which a node begins, counted from 1, comments before it not included. */
export function lineOf(file: CodeFile, node: ts.Node): number {
  return file.syntax.getLineAndCharacterOfPosition(node.getStart(file.syntax)).line + 1
}

/** The line on which a position of a text stands, counted from 1. */
export function lineAt(file: TextFile, position: number): number {
  return file.text.slice(0, position).split('\n').length
}

/**
 * Static and dynamic imports, re-exports, import types, and files named by
 * `new URL('./entry.ts', import.meta.url)`: the way in which worker threads are started.
 */
export function moduleReferencesOf(file: CodeFile): ModuleReference[] {
  return [...nodesOf(file.syntax)].flatMap((node) => {
    const found = referenceIn(node)
    return found === undefined ? [] : [{ ...found, line: lineOf(file, node) }]
  })
}

/** `a.b.c` as text, when a chain of plain names is all there is; `?.` and `['b']` count as `.b`. */
export function dottedName(node: ts.Node): string | undefined {
  if (ts.isIdentifier(node)) return node.text
  if (ts.isMetaProperty(node)) return node.getText()
  if (ts.isPropertyAccessExpression(node)) return joined(node.expression, node.name.text)
  if (ts.isElementAccessExpression(node) && ts.isStringLiteralLike(node.argumentExpression)) {
    return joined(node.expression, node.argumentExpression.text)
  }
  return undefined
}

function joined(left: ts.Node, name: string): string | undefined {
  const before = dottedName(left)
  return before === undefined ? undefined : `${before}.${name}`
}

type FoundReference = Omit<ModuleReference, 'line'>

function referenceIn(node: ts.Node): FoundReference | undefined {
  if (ts.isImportDeclaration(node)) return importReference(node)
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    return plainReference(node.moduleSpecifier, node.isTypeOnly)
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return plainReference(node.argument.literal, true)
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return plainReference(node.arguments[0], false)
  }
  return isEntryUrl(node) ? plainReference(node.arguments?.[0], false) : undefined
}

function importReference(node: ts.ImportDeclaration): FoundReference | undefined {
  const clause = node.importClause
  const bindings = clause?.namedBindings
  const names = new Map<string, string>()
  if (clause?.name !== undefined) names.set('default', clause.name.text)
  if (bindings !== undefined && ts.isNamespaceImport(bindings)) names.set('*', bindings.name.text)
  if (bindings !== undefined && ts.isNamedImports(bindings)) {
    for (const { name, propertyName, isTypeOnly } of bindings.elements) {
      if (!isTypeOnly) names.set((propertyName ?? name).text, name.text)
    }
  }
  const isTypeOnly = clause?.phaseModifier === ts.SyntaxKind.TypeKeyword
  const isErased = isTypeOnly || (clause !== undefined && names.size === 0)
  return { ...plainReference(node.moduleSpecifier, isErased), names } as FoundReference
}

function plainReference(
  specifier: ts.Node | undefined,
  isTypeOnly: boolean,
): FoundReference | undefined {
  if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return undefined
  return { specifier: specifier.text, isTypeOnly, names: new Map() }
}

function isEntryUrl(node: ts.Node): node is ts.NewExpression {
  if (!ts.isNewExpression(node) || node.arguments?.length !== 2) return false
  const [entry, base] = node.arguments
  if (entry === undefined || base === undefined || dottedName(node.expression) !== 'URL')
    return false
  return (
    ts.isStringLiteralLike(entry) &&
    /\.[cm]?tsx?$/.test(entry.text) &&
    dottedName(base) === 'import.meta.url'
  )
}
