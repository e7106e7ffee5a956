import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Environment } from '../../config.ts'
import { UsageError } from '../usage-error.ts'

/** A server and what to use of it, under a name. */
export interface Profile {
  url?: string
  apiKey?: string
  /** Id or uid. */
  project?: string
}

/** What is kept for the user of this machine. It holds keys: mode 0600, always. */
export interface ProfileFile {
  /** The profile that is used where none is named. */
  current?: string
  profiles: Record<string, Profile>
  /** Secrets with which `listen` signs, by format. */
  listenSecrets?: Record<string, string>
}

/** `countersign/config.json` where the user's configuration is kept. */
export function profileFilePath(environment: Environment): string {
  const home = environment.HOME ?? homedir()
  return join(environment.XDG_CONFIG_HOME || join(home, '.config'), 'countersign', 'config.json')
}

/**
 * Reads the file; an empty one where there is none.
 * @throws UsageError where others may read it, or it cannot be understood.
 */
export function readProfileFile(path: string): ProfileFile {
  let text: string
  try {
    refuseOpenMode(path)
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { profiles: Object.create(null) }
    throw error
  }
  const file = parse(text)
  if (file === null) throw new UsageError(`${path} is not a configuration of countersign.`)
  return file
}

/** Replaces the file in one step, so that nobody reads half of it. */
export function writeProfileFile(path: string, file: ProfileFile): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const unfinished = `${path}.${process.pid}`
  writeFileSync(unfinished, `${JSON.stringify(file, null, 2)}\n`, { mode: 0o600 })
  // A mode at creation is narrowed by the umask, and not set where the file was there already.
  chmodSync(unfinished, 0o600)
  renameSync(unfinished, path)
}

/** Windows keeps other rights than these bits. */
function refuseOpenMode(path: string): void {
  const mode = statSync(path).mode & 0o777
  if (process.platform === 'win32' || (mode & 0o077) === 0) return
  throw new UsageError(
    `${path} holds keys and has mode 0${mode.toString(8)}, so others may read it. Run chmod 600 ${path}, and rotate the keys in it if somebody may have.`,
  )
}

function parse(text: string): ProfileFile | null {
  try {
    const file = JSON.parse(text) as ProfileFile | null
    if (typeof file?.profiles !== 'object' || file.profiles === null) return null
    // Any word may be a name, also one that every object has.
    return { ...file, profiles: Object.assign(Object.create(null), file.profiles) }
  } catch {
    return null
  }
}
