import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '..')
const buildMsMax = 5 * 60_000

/** Compiles the server as it is published, and returns its entry file. */
export async function buildEntry(): Promise<string> {
  const script = join(root, 'scripts', 'build.ts')
  const options = { cwd: root, timeout: buildMsMax }
  try {
    await promisify(execFile)(process.execPath, [script], options)
  } catch (error) {
    // It tells on its output what it found, not in its error.
    const { stdout = '', message } = error as Error & { stdout?: string }
    throw new Error(`the server could not be compiled:\n${stdout || message}`, { cause: error })
  }
  return join(root, 'server', 'dist', 'main.js')
}
