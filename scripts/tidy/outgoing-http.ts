import ts from 'typescript'
import type { Finding, Rule } from './rule.ts'
import type { CodeFile } from './source-tree.ts'
import { dottedName, lineOf, moduleReferencesOf, nodesOf } from './syntax.ts'

/** The doors to the outside; the address guard stands before each of the server's own. */
const doors = [
  'server/src/dispatcher/dialer.ts',
  // Not the server: a command that the user of a machine points at a receiver of theirs.
  'server/src/cli/post-delivery.ts',
]

/** What opens a connection, by module. A database client speaks over sockets, never over HTTP. */
const connecting: Readonly<Record<string, readonly string[]>> = {
  http: ['request', 'get', 'Agent', 'ClientRequest'],
  https: ['request', 'get', 'Agent'],
  http2: ['connect'],
  net: ['connect', 'createConnection', 'Socket'],
  tls: ['connect', 'TLSSocket'],
}

/** Everything that leaves the server goes through the guarded sender. */
export const outgoingHttp: Rule = {
  name: 'outgoing-http',
  check: (tree) =>
    tree.code
      .filter(
        ({ path, isTest }) => path.startsWith('server/src/') && !doors.includes(path) && !isTest,
      )
      .flatMap((file) => [...checkFetch(file), ...checkImports(file)]),
}

function checkFetch(file: CodeFile): Finding[] {
  return [...nodesOf(file.syntax)]
    .filter(ts.isCallExpression)
    .filter(({ expression }) => /^(?:globalThis\.)?fetch$/.test(dottedName(expression) ?? ''))
    .map((node) => finding(file.path, lineOf(file, node), 'fetch'))
}

function checkImports(file: CodeFile): Finding[] {
  return moduleReferencesOf(file)
    .filter(({ isTypeOnly }) => !isTypeOnly)
    .flatMap(({ specifier, names, line }) => {
      if (/^undici(?:\/|$)/.test(specifier)) return [finding(file.path, line, 'undici')]
      const module = specifier.replace(/^node:/, '')
      const members = membersOf(module, file.path)
      const named = members.filter((member) => names.has(member))
      const local = names.get('default') ?? names.get('*')
      return [
        ...named.map((member) => finding(file.path, line, `${module}.${member}`)),
        ...(local === undefined ? [] : checkUses(file, local, members)),
      ]
    })
}

function membersOf(module: string, path: string): readonly string[] {
  const isSocket = module === 'net' || module === 'tls'
  if (isSocket && path.startsWith('server/src/storage/')) return []
  return connecting[module] ?? []
}

function checkUses(file: CodeFile, local: string, members: readonly string[]): Finding[] {
  const uses = new Set(members.map((member) => `${local}.${member}`))
  return [...nodesOf(file.syntax)].filter(isUse).flatMap((node) => {
    const name = dottedName(node.expression)
    return name !== undefined && uses.has(name)
      ? [finding(file.path, lineOf(file, node), name)]
      : []
  })
}

function isUse(node: ts.Node): node is ts.CallExpression | ts.NewExpression {
  return ts.isCallExpression(node) || ts.isNewExpression(node)
}

function finding(path: string, line: number, what: string): Finding {
  const message = `reaches out with ${what}: only ${doors.join(' and ')} may; take the sender as an argument`
  return { path, line, message }
}
