import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { StartError } from './start-error.ts'

/**
 * Makes the data directory where it is missing, readable by its owner alone: it holds keys and
 * payloads.
 *
 * @throws StartError
 */
export function makeDataDirectory(dataDir: string): void {
  try {
    // Folder by folder: `recursive` never returns below /proc (Node 26.10), where mkdir says ENOENT.
    for (const folder of missingFolders(resolve(dataDir))) mkdirSync(folder, { mode: 0o700 })
    if (!statSync(dataDir).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const why =
      code === 'EEXIST' || code === 'ENOTDIR'
        ? 'there is a file in its place or on the way to it'
        : 'this user may not write there'
    throw new StartError(
      `The data directory ${dataDir} cannot be made: ${why}. Choose another with COUNTERSIGN_DATA_DIR.`,
      { cause },
    )
  }
}

/** From the highest that does not exist down to the path itself. */
function missingFolders(path: string): string[] {
  const missing: string[] = []
  for (let folder = path; !existsSync(folder); folder = dirname(folder)) missing.unshift(folder)
  return missing
}
