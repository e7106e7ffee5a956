import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const root = join(import.meta.dirname, '..')
const buildMsMax = 5 * 60_000

/** Compiles the server as it is published, and returns its entry file. */
export async function buildEntry(): Promise<string> {
  const script = join(root, 'scripts', 'build.ts')
  await promisify(execFile)(process.execPath, [script], { cwd: root, timeout: buildMsMax })
  return join(root, 'server', 'dist', 'main.js')
}
