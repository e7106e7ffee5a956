import type { Finding, Rule } from './rule.ts'
import type { TextFile } from './source-tree.ts'
import { lineAt } from './syntax.ts'

/** Absolute paths that exist on one machine only: a home, or the folder of a build machine. */
const machinePath = /(?<![\w.~$}-])\/(?:work|root|home\/[a-z]\w*|Users\/\w+)\/[\w.-]*/g
const registryHost =
  /\b(?:registry\.[a-z0-9-]+\.[a-z]{2,}|npm\.pkg\.[a-z]+\.com|registry\.[a-z]+\.dev)\b/gi
const downloadAddress = /"resolved":\s*"[a-z+]+:/g

/** The repository works on every machine, from every registry. */
export const machineNames: Rule = {
  name: 'machine-names',
  check: (tree) =>
    tree.texts.flatMap((file) => [
      ...found(file, machinePath, 'is a path of one machine: make it relative to the repository'),
      ...found(file, registryHost, 'is the host of a registry: leave the choice to the user'),
      ...(/(?:^|\/)package-lock\.json$/.test(file.path)
        ? found(file, downloadAddress, 'ties the lockfile to a registry: remove the address')
        : []),
    ]),
}

function found(file: TextFile, pattern: RegExp, message: string): Finding[] {
  return [...file.text.matchAll(pattern)].map(({ 0: text, index }) => ({
    path: file.path,
    line: lineAt(file, index),
    message: `${text} ${message}`,
  }))
}
