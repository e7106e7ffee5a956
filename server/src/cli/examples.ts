/** One command line that a user can paste, and what it is for. */
export type Example = readonly [line: string, what?: string]

/** The last part of a command's help. Each line is run by a test. */
export function examplesText(examples: readonly Example[], note = ''): string {
  const width = Math.max(...examples.map(([line]) => line.length))
  const lines = examples.map(([line, what = '']) => `  $ ${line.padEnd(width)}  ${what}`.trimEnd())
  return `${note === '' ? '' : `\n${note}\n`}\nExamples:\n${lines.join('\n')}\n`
}
