import { readFile } from 'node:fs/promises'
import { resultsFile } from './record.ts'

/**
 * The median ratio at 96 connections of the newest whole or quick run in results.md on a processor
 * of this model: what a short run is held against. Null where none was recorded. On another one
 * the bare sender and the server gain or lose by different shares.
 */
export async function readRecordedRatio(
  cpuModel: string,
  file: string = resultsFile,
): Promise<number | null> {
  const text = await readFile(file, 'utf8')
  const sections = text
    .split(/^(?=## )/m)
    .filter((section) => judged.test(section) && section.includes(`\n- Machine: ${cpuModel}, `))
  const found = median.exec(sections.at(-1) ?? '')
  return found === null ? null : Number(found[1])
}

/** The title of a section: a smoke run strays too far to be a measure for others. */
const judged = /^## .*, (?:full|quick)$/m
const median = /^\| \*\*median\*\* \|.*\| \*\*(\d+\.\d+)\*\* \|/m
