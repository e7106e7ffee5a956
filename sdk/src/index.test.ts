import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const folder = dirname(fileURLToPath(import.meta.url))
const sources = globSync('**/*.ts', { cwd: folder })
  .filter((name) => !name.endsWith('.test.ts'))
  .map((name) => join(folder, name))

/** What the examples may name without saying where it comes from. */
const examplePrelude = `
  declare const client: sdk.Countersign
  declare const project: string, endpoint: string, rotation: string, campaign: string
  declare const body: string, headers: Headers, secrets: string[]
  declare const seen: sdk.SeenStore, event: sdk.VerifiedWebhook
  declare const express: { post(path: string, handler: sdk.ExpressWebhookHandler): void }
  declare const fastify: { register(plugin: (instance: sdk.FastifyLike) => Promise<void>): void }
  declare const redis: {
    set(key: string, value: string, ...options: (string | number)[]): Promise<string | null>
    get(key: string): Promise<string | null>
    del(key: string): Promise<unknown>
  }
`

test('imports nothing but its own files', () => {
  assert.ok(sources.length > 10)
  for (const file of sources) {
    const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'), true, true)
    for (const { fileName } of importedFiles) {
      assert.match(fileName, /^\.\.?\/[\w/.-]+\.ts$/, `${file} imports ${fileName}`)
      assert.ok(sources.includes(join(dirname(file), fileName)), `${file} imports ${fileName}`)
    }
  }
})

test('has no runtime dependencies', () => {
  const manifest = JSON.parse(readFileSync(join(folder, '../package.json'), 'utf8'))
  for (const field of ['dependencies', 'peerDependencies', 'optionalDependencies']) {
    assert.deepEqual(Object.keys(manifest[field] ?? {}), [])
  }
})

test('compiles, examples included, with the types of the web alone', () => {
  const index = join(folder, 'index.ts')
  // No types of Node: what compiles here names nothing that browsers and workers lack.
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2024,
    lib: ['lib.es2024.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: [],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    allowImportingTsExtensions: true,
    noEmit: true,
  }
  const { examples, undocumented } = readDocumentation(ts.createProgram([index], options))
  assert.deepEqual(undocumented, [])
  assert.ok(examples.length > 40)

  const names = exportedNames(index, options)
  const files = new Map(
    examples.map(({ name, text }, number) => {
      const imports = names.filter((each) => new RegExp(`\\b${each}\\b`).test(text))
      const source = [
        `import type * as sdk from './index.ts'`,
        `import { ${imports.join(', ')} } from './index.ts'`,
        examplePrelude,
        // In a block, so that an example may declare what the prelude has too.
        `{ ${text} }`,
      ].join('\n')
      return [join(folder, `example-${number}-${name.replace(/\W/g, '-')}.ts`), source]
    }),
  )
  const program = ts.createProgram([...files.keys()], options, createHost(options, files))
  const diagnostics = ts.getPreEmitDiagnostics(program)
  assert.equal(
    ts.formatDiagnostics(diagnostics, {
      getCanonicalFileName: (name) => name,
      getCurrentDirectory: () => folder,
      getNewLine: () => '\n',
    }),
    '',
  )
})

interface Documentation {
  examples: { name: string; text: string }[]
  /** Public names without a doc comment, or without the example that they should have. */
  undocumented: string[]
}

function readDocumentation(program: ts.Program): Documentation {
  const checker = program.getTypeChecker()
  const documentation: Documentation = { examples: [], undocumented: [] }
  for (const exported of exportsOf(program)) {
    const symbol =
      ts.SymbolFlags.Alias & exported.flags ? checker.getAliasedSymbol(exported) : exported
    note(symbol, symbol.name)
    const declaration = symbol.valueDeclaration
    if (!declaration || !ts.isClassDeclaration(declaration)) continue
    for (const member of declaration.members.filter(ts.isMethodDeclaration)) {
      const method = checker.getSymbolAtLocation(member.name)
      if (method) note(method, `${symbol.name}.${method.name}`)
    }
  }
  return documentation

  function note(symbol: ts.Symbol, name: string): void {
    const allTags = symbol.getJsDocTags(checker)
    if (allTags.some((tag) => tag.name === 'internal')) return
    const tags = allTags.filter((tag) => tag.name === 'example')
    for (const tag of tags) {
      documentation.examples.push({ name, text: ts.displayPartsToString(tag.text) })
    }
    const isValue = (symbol.flags & ts.SymbolFlags.Value) !== 0
    const hasComment = symbol.getDocumentationComment(checker).length > 0
    const explainsItself = symbol.flags & ts.SymbolFlags.TypeAlias
    if (isValue ? tags.length === 0 || !hasComment : !hasComment && !explainsItself) {
      documentation.undocumented.push(name)
    }
  }
}

function exportedNames(index: string, options: ts.CompilerOptions): string[] {
  return exportsOf(ts.createProgram([index], options)).map(({ name }) => name)
}

function exportsOf(program: ts.Program): ts.Symbol[] {
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(join(folder, 'index.ts'))
  const module = source && checker.getSymbolAtLocation(source)
  assert.ok(module)
  return checker.getExportsOfModule(module)
}

/** A host that reads the examples from memory and everything else from the disk. */
function createHost(options: ts.CompilerOptions, files: Map<string, string>): ts.CompilerHost {
  const host = ts.createCompilerHost(options)
  return {
    ...host,
    fileExists: (name) => files.has(name) || host.fileExists(name),
    readFile: (name) => files.get(name) ?? host.readFile(name),
    getSourceFile: (name, target) => {
      const text = files.get(name)
      return text === undefined
        ? host.getSourceFile(name, target)
        : ts.createSourceFile(name, text, target, true)
    },
  }
}
