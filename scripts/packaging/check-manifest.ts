import { resolve } from 'node:path'
import ts from 'typescript'
import { repositoryRoot } from '../run-node.ts'

/** Where the types are that were generated from the published schema of Kubernetes. */
const types: Readonly<Record<string, readonly [module: string, type: string]>> = {
  'apps/v1 Deployment': ['apps/v1', 'Deployment'],
  'policy/v1 PodDisruptionBudget': ['policy/v1', 'PodDisruptionBudget'],
  'v1 Secret': ['core/v1', 'Secret'],
  'v1 Service': ['core/v1', 'Service'],
}

/** A file that is never written: the manifest as a literal of its type. */
const fileName = resolve(repositoryRoot, 'manifest.ts')

/**
 * What the schema of Kubernetes says against a manifest, as sentences: members that it does not know,
 * lack of those that it asks for, values of another type. Not whether a text is one of those that
 * mean something.
 */
export function checkManifest(manifest: { apiVersion?: unknown; kind?: unknown }): string[] {
  const name = `${manifest.apiVersion} ${manifest.kind}`
  const [module, type] = types[name] ?? []
  if (module === undefined) return [`${name} is of no kind that is known here.`]
  const text = `import type { ${type} } from 'kubernetes-types/${module}'
export const manifest: ${type} = ${JSON.stringify(manifest)}
`
  return ts.getPreEmitDiagnostics(programOf(text)).map(({ messageText }) => {
    return ts.flattenDiagnosticMessageText(messageText, ' ')
  })
}

function programOf(text: string): ts.Program {
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es5.d.ts'],
  }
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.fileExists = (path) => path === fileName || fileExists(path)
  host.getSourceFile = (path, version, ...rest) =>
    path === fileName
      ? ts.createSourceFile(path, text, version)
      : getSourceFile(path, version, ...rest)
  return ts.createProgram([fileName], options, host)
}
