import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export const resultsFile = join(import.meta.dirname, 'results.md')

const head = `# Results

Written by \`npm run bench -- --record\`, newest last. Absolute rates drift by 10–30 % between runs on
one machine: compare ratios only, and only where their ranges do not overlap.

`

/** Appends a report; the first one finds the file missing and writes its head. */
export async function record(report: string, file: string = resultsFile): Promise<void> {
  try {
    await writeFile(file, head, { flag: 'wx' })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
  await appendFile(file, `${report}\n`)
}
