import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

/**
 * Keeps what Node makes of the sources: it takes their types off at each start otherwise, which is
 * half of one, and each thread loads what does that, 40 MB together. As installed there are no types.
 *
 * It is kept beside the packages. Whoever can write there can change the code itself, so nothing has
 * to be trusted that was not; where this process cannot write, nothing is kept. Node compares what it
 * kept with the file as it is. Threads, and the process that `startOver` begins, go by the environment.
 */
export function cacheCompiled(owner: Pick<NodeJS.Process, 'env'>, entry: string): void {
  if (!entry.endsWith('.ts') || owner.env.NODE_COMPILE_CACHE !== undefined) return
  const directory = fileURLToPath(new URL('../../node_modules/.cache/countersign', entry))
  const { directory: kept } = enableCompileCache(directory)
  if (kept !== undefined) owner.env.NODE_COMPILE_CACHE = directory
}
