/** Everything that can be judged without running the product: types, style, house rules, drift. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type NodeRun, repositoryRoot, runNode } from './run-node.ts'

type Check = {
  name: string
  args: readonly string[]
  /** The check is left out where this file is missing. */
  needs?: string
}

const checks: readonly Check[] = [
  { name: 'types', args: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'] },
  {
    name: 'types of the console',
    args: ['node_modules/typescript/bin/tsc', '-p', 'console', '--noEmit'],
    needs: 'console/tsconfig.json',
  },
  {
    name: 'format and lint',
    args: [
      'node_modules/@biomejs/biome/bin/biome',
      'ci',
      '--colors=off',
      '--error-on-warnings',
      '.',
    ],
  },
  { name: 'house rules', args: ['scripts/tidy.ts'] },
  {
    name: 'generated docs',
    args: ['scripts/generate-docs.ts', '--check'],
    needs: 'scripts/generate-docs.ts',
  },
]

/** Runs every check at once, prints each verdict in turn, and tells whether all passed. */
export async function check(): Promise<boolean> {
  const due = checks.filter(
    ({ needs }) => needs === undefined || existsSync(resolve(repositoryRoot, needs)),
  )
  const runs = due.map(({ args }) => runNode(args))
  let haveAllPassed = true
  for (const [index, { name }] of due.entries()) {
    const { hasSucceeded, output } = (await runs[index]) as NodeRun
    console.log(`${hasSucceeded ? '✔' : '✖'} ${name}`)
    if (!hasSucceeded) console.log(`${output}\n`)
    haveAllPassed &&= hasSucceeded
  }
  return haveAllPassed
}

if (import.meta.main) process.exitCode = (await check()) ? 0 : 1
