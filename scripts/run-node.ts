import { spawn } from 'node:child_process'
import { resolve } from 'node:path'

/** The root of the repository, wherever a script is called from. */
export const repositoryRoot = resolve(import.meta.dirname, '..')

/** How a program ended, and what it printed where that was captured. */
export type NodeRun = {
  hasSucceeded: boolean
  /** Standard output and error in the order of arrival; empty when it went to the terminal. */
  output: string
}

/**
 * Runs a program with the Node that runs this one, in the root of the repository.
 * `isShown` lets it print to the terminal instead of capturing its output.
 */
export function runNode(
  args: readonly string[],
  { isShown = false }: { isShown?: boolean } = {},
): Promise<NodeRun> {
  const { promise, resolve: done, reject } = Promise.withResolvers<NodeRun>()
  const child = spawn(process.execPath, [...args], {
    cwd: repositoryRoot,
    stdio: isShown ? 'inherit' : ['ignore', 'pipe', 'pipe'],
  })
  const chunks: Buffer[] = []
  child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.once('error', reject)
  child.once('close', (code) => {
    done({ hasSucceeded: code === 0, output: Buffer.concat(chunks).toString('utf8').trimEnd() })
  })
  return promise
}
