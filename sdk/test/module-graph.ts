import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'

/** The modules that a module of `sdk/src` needs at run time, itself included, as JavaScript by path. */
export function modulesOf(entry: string): Map<string, string> {
  const modules = new Map<string, string>()
  const visit = (path: string): void => {
    if (modules.has(path)) return
    const { outputText } = ts.transpileModule(readFileSync(path, 'utf8'), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
        removeComments: true,
      },
    })
    modules.set(path, outputText)
    for (const { fileName } of ts.preProcessFile(outputText, true, true).importedFiles) {
      visit(join(dirname(path), fileName))
    }
  }
  visit(join(import.meta.dirname, '../src', entry))
  return modules
}
