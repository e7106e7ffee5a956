import ts from 'typescript'

/** A file whose content is text. */
export type TextFile = {
  /** From the root of the repository, with forward slashes. */
  path: string
  text: string
}

/** A file that the TypeScript parser understands. */
export type CodeFile = TextFile & {
  /** Tests, storage-suite and the like, and everything in a test folder: mostly exempt. */
  isTest: boolean
  syntax: ts.SourceFile
}

/** The files of the repository, as the rules see them. */
export type SourceTree = {
  /** Every file, also those without text, in the order in which they were given. */
  paths: readonly string[]
  texts: readonly TextFile[]
  code: readonly CodeFile[]
  /** True for a file and for a folder that holds one; '' is the root. */
  has(path: string): boolean
}

/** Builds a tree from contents by path; null marks a file that is not text. */
export function createSourceTree(contents: Record<string, string | null>): SourceTree {
  const paths = Object.keys(contents)
  const known = new Set(paths.flatMap(withFolders))
  const texts = paths.flatMap((path) => {
    const text = contents[path]
    return text === undefined || text === null ? [] : [{ path, text }]
  })
  const code = texts.filter((file) => isCodePath(file.path)).map(toCodeFile)
  return { paths, texts, code, has: (path) => known.has(path.replace(/\/$/, '')) }
}

/** True for test files, for suites that every adapter must pass, and for the test folders. */
export function isTestPath(path: string): boolean {
  return (
    /^(?:server|sdk|console)\/test\//.test(path) || /(?:\.test|-suite)\.[cm]?[jt]sx?$/.test(path)
  )
}

function withFolders(path: string): string[] {
  const segments = path.split('/')
  return segments
    .map((_, index) => segments.slice(0, index + 1).join('/'))
    .concat(path === '' ? [] : [''])
}

function isCodePath(path: string): boolean {
  return /\.[cm]?[jt]sx?$/.test(path)
}

function toCodeFile(file: TextFile): CodeFile {
  let parsed: ts.SourceFile | undefined
  return {
    ...file,
    isTest: isTestPath(file.path),
    get syntax() {
      parsed ??= ts.createSourceFile(file.path, file.text, ts.ScriptTarget.Latest, true)
      return parsed
    },
  }
}
