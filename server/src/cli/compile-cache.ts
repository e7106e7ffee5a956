import { lstatSync, mkdirSync, statSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { fileURLToPath } from 'node:url'

/**
 * Keeps what Node makes of the sources of a checkout, where it would take their types off at each
 * start: half of the time that a start takes, and 40 MB of memory. As installed there are no types.
 *
 * What is kept is code that will run. So it is kept only in a checkout of the user that this process
 * runs as, in a folder that nobody else can write to: who could change it can change the sources too.
 * Threads, and the process that `startOver` begins, go by the environment. `NODE_COMPILE_CACHE` names
 * another folder, and `NODE_DISABLE_COMPILE_CACHE=1` keeps nothing.
 */
export function cacheCompiled(owner: Pick<NodeJS.Process, 'env' | 'geteuid'>, entry: string): void {
  const { env } = owner
  if (!entry.endsWith('.ts') || env.NODE_COMPILE_CACHE || env.NODE_DISABLE_COMPILE_CACHE) return
  const packages = fileURLToPath(new URL('../../node_modules', entry))
  const directory = `${packages}/.countersign-compiled`
  // An old Node has no such function; it is told so once more is loaded.
  if (!isPrivate(packages, directory, owner.geteuid?.()) || !nodeModule.enableCompileCache) return
  const { directory: kept } = nodeModule.enableCompileCache(directory)
  if (kept !== undefined) env.NODE_COMPILE_CACHE = directory
}

const writableByOthers = 0o022

/** Makes the folder where there is none. */
function isPrivate(packages: string, directory: string, userId: number | undefined): boolean {
  if (userId === undefined) return false
  try {
    if (statSync(packages).uid !== userId) return false
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    const found = lstatSync(directory)
    return found.isDirectory() && found.uid === userId && (found.mode & writableByOthers) === 0
  } catch {
    return false
  }
}
