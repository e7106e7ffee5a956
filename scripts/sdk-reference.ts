import { join } from 'node:path'
import ts from 'typescript'

const index = join(import.meta.dirname, '../sdk/src/index.ts')

/** One public name of the SDK. */
interface Entry {
  name: string
  kind: 'class' | 'function' | 'type'
  declarations: readonly ts.Declaration[]
  comment: string
  examples: readonly string[]
}

/** The reference of the SDK, made from its declarations and doc comments: one block a paragraph. */
export function sdkReferenceBlocks(): string[] {
  const entries = readEntries()
  const classes = entries.filter(({ kind }) => kind === 'class')
  const functions = entries.filter(({ kind }) => kind === 'function')
  const types = entries.filter(({ kind }) => kind === 'type')
  return [
    'Every public name of `@countersign/sdk`, with its doc comment. The examples are compiled in the tests. [The SDK](../sdk/README.md) is where to begin.',
    '## Classes',
    ...classes.flatMap(classBlocks),
    '## Functions',
    ...functions.flatMap((entry) => [
      ...headBlocks(entry, '###'),
      ...exampleBlocks(entry.examples),
    ]),
    '## Types',
    ...types.flatMap((entry) => [...headBlocks(entry, '###'), ...exampleBlocks(entry.examples)]),
  ]
}

function readEntries(): Entry[] {
  const program = ts.createProgram([index], {
    target: ts.ScriptTarget.ES2024,
    lib: ['lib.es2024.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: [],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    allowImportingTsExtensions: true,
    noEmit: true,
  })
  const checker = program.getTypeChecker()
  const source = program.getSourceFile(index)
  const module = source && checker.getSymbolAtLocation(source)
  if (!module) throw new Error('The SDK has no index.')
  const entries = checker.getExportsOfModule(module).map((exported) => {
    const isAlias = (exported.flags & ts.SymbolFlags.Alias) !== 0
    return entryOf(isAlias ? checker.getAliasedSymbol(exported) : exported, exported.name, checker)
  })
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function entryOf(symbol: ts.Symbol, name: string, checker: ts.TypeChecker): Entry {
  const declarations = symbol.declarations ?? []
  const isClass = declarations.some(ts.isClassDeclaration)
  const isFunction = declarations.some(ts.isFunctionDeclaration)
  return {
    name,
    kind: isClass ? 'class' : isFunction ? 'function' : 'type',
    declarations,
    comment: commentOf(symbol, checker),
    examples: examplesOf(symbol, checker),
  }
}

function classBlocks(entry: Entry): string[] {
  const declaration = entry.declarations.find(ts.isClassDeclaration)
  const methods = new Map<string, ts.MethodDeclaration[]>()
  for (const member of declaration?.members ?? []) {
    if (!ts.isMethodDeclaration(member) || ts.isPrivateIdentifier(member.name)) continue
    const name = member.name.getText()
    methods.set(name, [...(methods.get(name) ?? []), member])
  }
  return [
    `### ${entry.name}`,
    entry.comment,
    ...exampleBlocks(entry.examples),
    ...[...methods].flatMap(([name, overloads]) => methodBlocks(entry.name, name, overloads)),
  ].filter((block) => block !== '')
}

/** Of several signatures, those that callers see: the last one has the body. */
function methodBlocks(
  owner: string,
  name: string,
  overloads: readonly ts.MethodDeclaration[],
): string[] {
  const seen = overloads.length > 1 ? overloads.filter(({ body }) => !body) : overloads
  return [
    `#### ${owner}.${name}`,
    ...seen.flatMap((method) => [
      codeBlock(signatureOf(method)),
      ...ts.getJSDocCommentsAndTags(method).flatMap((doc) => {
        if (!ts.isJSDoc(doc)) return []
        const tags = doc.tags ?? []
        const throws = tags
          .filter((tag) => tag.tagName.text === 'throws')
          .map((tag) => `Throws ${throwsText(tag)}`)
        const examples = tags
          .filter(({ tagName }) => tagName.text === 'example')
          .map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? '')
        const text = ts.getTextOfJSDocComment(doc.comment) ?? ''
        return [unwrapped(text), ...throws, ...exampleBlocks(examples)]
      }),
    ]),
  ].filter((block) => block !== '')
}

function throwsText(tag: ts.JSDocTag): string {
  const error = ts.isJSDocThrowsTag(tag) ? tag.typeExpression?.getText() : undefined
  const text = `${error ?? ''} ${ts.getTextOfJSDocComment(tag.comment) ?? ''}`
  return unwrapped(text.trim())
}

function headBlocks(entry: Entry, heading: string): string[] {
  const seen = entry.declarations.filter(
    (declaration) =>
      !ts.isFunctionDeclaration(declaration) ||
      entry.declarations.length === 1 ||
      declaration.body === undefined,
  )
  return [
    `${heading} ${entry.name}`,
    entry.comment,
    codeBlock(seen.map(signatureOf).join('\n')),
  ].filter((block) => block !== '')
}

/** A declaration as it is written, without what it does. */
function signatureOf(declaration: ts.Declaration): string {
  const source = declaration.getSourceFile().text
  const body = (declaration as ts.FunctionLikeDeclaration).body
  const end = body === undefined ? declaration.end : body.pos
  const node = ts.isVariableDeclaration(declaration) ? declaration.parent : declaration
  return outdented(
    source
      .slice(node.getStart(), end)
      .replace(/^export |^async /g, '')
      .trim(),
  )
}

function commentOf(symbol: ts.Symbol, checker: ts.TypeChecker): string {
  return unwrapped(ts.displayPartsToString(symbol.getDocumentationComment(checker)))
}

function examplesOf(symbol: ts.Symbol, checker: ts.TypeChecker): string[] {
  return symbol
    .getJsDocTags(checker)
    .filter(({ name }) => name === 'example')
    .map(({ text }) => ts.displayPartsToString(text))
}

function exampleBlocks(examples: readonly string[]): string[] {
  return examples.map((example) => codeBlock(example.trim()))
}

function codeBlock(code: string): string {
  return `\`\`\`ts\n${code}\n\`\`\``
}

/** Lines of one paragraph as one line: the page breaks them where it likes. */
function unwrapped(text: string): string {
  return text
    .split(/\n{2,}/)
    .map((paragraph) =>
      /^\s*-/m.test(paragraph) ? paragraph : paragraph.replace(/\s*\n\s*/g, ' '),
    )
    .join('\n\n')
    .trim()
}

/** Without the indentation of a member of a class. */
function outdented(code: string): string {
  const [, ...rest] = code.split('\n')
  const indents = rest.filter((line) => line.trim() !== '').map((line) => line.search(/\S/))
  const least = Math.min(...indents, Number.MAX_SAFE_INTEGER)
  return code.replaceAll(
    new RegExp(`\\n {${least === Number.MAX_SAFE_INTEGER ? 0 : least}}`, 'g'),
    '\n',
  )
}
