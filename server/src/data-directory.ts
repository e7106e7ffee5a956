import { accessSync, constants, mkdirSync } from 'node:fs'
import { StartError } from './start-error.ts'

/**
 * Makes sure that the data directory is there and can be written, before anything is. A new one is
 * open to its owner only.
 *
 * @throws StartError
 */
export function openDataDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    const { code = 'unknown reason' } = cause as NodeJS.ErrnoException
    throw new StartError(
      `The data directory ${path} cannot be used (${code}): make it writable for this user, or name another with COUNTERSIGN_DATA_DIR.`,
      { cause },
    )
  }
}
