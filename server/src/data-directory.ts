import { mkdirSync } from 'node:fs'
import { StartError } from './start-error.ts'

/**
 * Makes the data directory where it is missing, readable by its owner alone: it holds keys and
 * payloads.
 *
 * @throws StartError
 */
export function makeDataDirectory(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
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
