import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import ts from 'typescript'
import { refuseOldNode } from './refuse-old-node.ts'

test('refuses a Node that the package does not promise to run on, and no other', () => {
  const manifest = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')
  const [, oldest = ''] = /^>=(\d+)$/.exec(JSON.parse(manifest).engines.node) ?? []
  assert.equal(refuseOldNode(`${oldest}.0.0`), null)
  assert.equal(refuseOldNode(process.versions.node), null)
  assert.match(
    refuseOldNode(`${Number(oldest) - 1}.11.1`) ?? '',
    /needs Node \d+ or newer; this is/,
  )
})

test('what is loaded before a Node is refused can be loaded by the old ones', () => {
  // A name that a module does not export ends a process before it has begun.
  const known: Record<string, readonly string[]> = {
    'node:fs': ['lstatSync', 'mkdirSync', 'statSync'],
    'node:module': ['*'],
    'node:url': ['fileURLToPath'],
  }
  const waiting = ['main.ts']
  const read = new Set<string>()
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    if (read.has(path)) continue
    read.add(path)
    for (const { from, names } of importsOf(join(import.meta.dirname, '..', path))) {
      if (from.startsWith('.')) waiting.push(join(path, '..', from))
      else for (const name of names) assert.ok(known[from]?.includes(name), `${path}: ${name}`)
    }
  }
  assert.ok(read.size > 1)
})

/** What a file imports by name when it is loaded; `*` where it takes the module as it is. */
function importsOf(path: string): { from: string; names: string[] }[] {
  const text = readFileSync(path, 'utf8')
  const { statements } = ts.createSourceFile(path, text, ts.ScriptTarget.Latest)
  return statements.filter(ts.isImportDeclaration).flatMap((statement) => {
    const { importClause, moduleSpecifier } = statement
    if (importClause?.isTypeOnly) return []
    const bindings = importClause?.namedBindings
    const names =
      bindings !== undefined && ts.isNamedImports(bindings)
        ? bindings.elements.filter((one) => !one.isTypeOnly).map((one) => one.name.text)
        : ['*']
    return [{ from: (moduleSpecifier as ts.StringLiteral).text, names }]
  })
}
