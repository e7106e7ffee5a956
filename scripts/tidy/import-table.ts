import { posix } from 'node:path'
import type { Finding, Rule } from './rule.ts'
import { type CodeFile, isTestPath } from './source-tree.ts'
import { type ModuleReference, moduleReferencesOf } from './syntax.ts'
import { exceptions, kindKnownToAll, pureModules, workspaces, type Zone, zones } from './zones.ts'

/** Every import follows the table in zones.ts. */
export const importTable: Rule = {
  name: 'import-table',
  check: (tree) => tree.code.filter((file) => !file.isTest).flatMap(checkFile),
}

function checkFile(file: CodeFile): Finding[] {
  const from = placeOf(file.path)
  if (from === undefined) {
    const message = 'stands outside the import table: move it, or name its zone in zones.ts'
    return [{ path: file.path, line: 1, message }]
  }
  return moduleReferencesOf(file).flatMap((reference) => {
    const target = ownFile(file.path, reference.specifier)
    const message =
      target === undefined
        ? judgeOutside(from.zone, reference)
        : judgeOwn(file.path, from, target, reference)
    return message === undefined ? [] : [{ path: file.path, line: reference.line, message }]
  })
}

type Place = { zone: Zone; sibling: string | undefined }

function placeOf(path: string): Place | undefined {
  for (const zone of zones) {
    const match = zone.at.exec(path)
    if (match !== null) return { zone, sibling: match[1] }
  }
  return undefined
}

/** The path of a module of this repository, or undefined for Node's modules and packages. */
function ownFile(importer: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return posix.join(posix.dirname(importer), specifier)
  const name = Object.keys(workspaces).find(
    (workspace) => specifier === workspace || specifier.startsWith(`${workspace}/`),
  )
  return name === undefined ? undefined : workspaces[name]
}

function judgeOutside(zone: Zone, { specifier }: ModuleReference): string | undefined {
  if (zone.outside === 'anything') return undefined
  if (zone.outside === 'nothing') {
    return `${zone.kind} has no dependencies, yet imports ${specifier}: write it without`
  }
  if (pureModules.has(specifier)) return undefined
  return `${zone.kind} is pure, yet imports ${specifier}: take what it gives as an argument`
}

function judgeOwn(
  path: string,
  from: Place,
  target: string,
  reference: ModuleReference,
): string | undefined {
  if (exceptions.some((exception) => exception.from.test(path) && exception.to.test(target))) {
    return undefined
  }
  if (isTestPath(target)) return `imports the test file ${target}: only tests may`
  const to = placeOf(target)
  if (to === undefined || mayImport(from, to)) return undefined
  if (from.zone.kind === to.zone.kind) {
    return `${from.sibling} may not import its sibling ${to.sibling} (${reference.specifier})`
  }
  const allowed = from.zone.may.length === 0 ? 'nothing of ours' : [...from.zone.may].join(', ')
  return (
    `${from.zone.kind} may not import ${to.zone.kind} (${reference.specifier}); it may import ` +
    `${allowed}: take it as an argument, or move the code to where it belongs`
  )
}

function mayImport(from: Place, to: Place): boolean {
  if (from.zone.may === 'anything') return true
  if (from.zone.kind === to.zone.kind) return from.sibling === to.sibling
  if (from.zone.may.includes(to.zone.kind)) return true
  return to.zone.kind === kindKnownToAll && from.zone.kind !== 'sdk' && from.zone.kind !== 'console'
}
