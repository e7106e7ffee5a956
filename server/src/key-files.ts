import {
  closeSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { Config } from './config.ts'
import { makeApiKeyValue } from './core/api-key.ts'
import { masterKeyBytes } from './core/secret-box.ts'
import { masterKeyList, type OptionKind, rootKeyList } from './option-kinds.ts'
import { StartError } from './start-error.ts'

/** Keys of one sort, and where they came from. */
export interface LoadedKeys<Key> {
  keys: Key[]
  /** The file in the data directory; null where the configuration holds the keys. */
  file: string | null
  /** True where this start made the file. */
  isNew: boolean
  /** Sentences for the operator. */
  warnings: string[]
}

interface KeyFileOptions {
  config: Pick<Config, 'dataDir' | 'masterKeys' | 'rootKeys'>
  randomBytes: (size: number) => Uint8Array
}

/**
 * The master key ring: the configured one, else the file `master-key`, else a new file.
 *
 * @param options.isStoreSealed true where the store holds values under some master key already:
 *   a new key could not open them, so a missing file is then an error and nothing is written.
 * @throws StartError
 */
export function loadOrCreateMasterKeys(
  options: KeyFileOptions & { isStoreSealed: boolean },
): LoadedKeys<Uint8Array> {
  const { config, randomBytes, isStoreSealed } = options
  if (config.masterKeys.length > 0) return configured(config.masterKeys)
  const file = join(config.dataDir, 'master-key')
  return loadOrCreate({
    file,
    kind: masterKeyList,
    makeText() {
      if (isStoreSealed) {
        throw new StartError(
          `The secrets in ${config.dataDir} are encrypted under a master key that is not here: put the file ${file} back, or set COUNTERSIGN_MASTER_KEYS.`,
        )
      }
      return Buffer.from(randomBytes(masterKeyBytes)).toString('base64')
    },
  })
}

/**
 * Puts a new key first into the file `master-key`, and keeps those that are there: a server that
 * starts then seals under the new one and still opens everything.
 *
 * @throws StartError
 */
export function prependMasterKey({ config, randomBytes }: KeyFileOptions): { file: string } {
  const { keys, file } = loadOrCreateMasterKeys({ config, randomBytes, isStoreSealed: true })
  if (file === null) {
    throw new StartError(
      'The master keys come from COUNTERSIGN_MASTER_KEYS: put the new one first there, followed by a comma.',
    )
  }
  const texts = [randomBytes(masterKeyBytes), ...keys].map((key) =>
    Buffer.from(key).toString('base64'),
  )
  const partial = `${file}.partial`
  rmSync(partial, { force: true })
  create(partial, texts.join(','))
  renameSync(partial, file)
  syncDirectory(dirname(file))
  return { file }
}

/**
 * The root keys: the configured ones, else the file `root-key`, else a new file.
 *
 * @throws StartError
 */
export function loadOrCreateRootKeys({ config, randomBytes }: KeyFileOptions): LoadedKeys<string> {
  if (config.rootKeys.length > 0) return configured(config.rootKeys)
  return loadOrCreate({
    file: join(config.dataDir, 'root-key'),
    kind: rootKeyList,
    makeText: () => makeApiKeyValue(randomBytes).value,
  })
}

/** Read and written by the owner only. */
const keyFileMode = 0o600
/** What group and others may do with a file. */
const othersMask = 0o077

interface KeyFile<Key> {
  file: string
  kind: OptionKind<Key[]>
  /** The text of a new file. */
  makeText(): string
}

function configured<Key>(keys: readonly Key[]): LoadedKeys<Key> {
  return { keys: [...keys], file: null, isNew: false, warnings: [] }
}

function loadOrCreate<Key>(keyFile: KeyFile<Key>): LoadedKeys<Key> {
  const { file } = keyFile
  const found = read(file)
  if (found !== null) {
    const isLoose = process.platform !== 'win32' && (found.mode & othersMask) !== 0
    const warning = `${file} can be read by others (mode ${(found.mode & 0o777).toString(8)}): run chmod 600 on it, and change the key if someone may have read it.`
    return {
      keys: parse(keyFile, found.text),
      file,
      isNew: false,
      warnings: isLoose ? [warning] : [],
    }
  }
  const text = keyFile.makeText()
  create(file, text)
  return { keys: parse(keyFile, text), file, isNew: true, warnings: [] }
}

function read(file: string): { text: string; mode: number } | null {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return null
    throw new StartError(`The key file ${file} cannot be read (${codeOf(cause)}).`, { cause })
  }
  try {
    return { text: readFileSync(descriptor, 'utf8'), mode: fstatSync(descriptor).mode }
  } catch (cause) {
    throw new StartError(`The key file ${file} cannot be read (${codeOf(cause)}).`, { cause })
  } finally {
    closeSync(descriptor)
  }
}

function parse<Key>({ file, kind }: KeyFile<Key>, text: string): Key[] {
  const parsed = kind.parse(text.trim())
  if (parsed.ok) return parsed.value
  throw new StartError(
    text.trim() === ''
      ? `The key file ${file} is empty, as an interrupted first start leaves it: put the key back, or delete the file if there never was one.`
      : `The key file ${file} is damaged: it ${parsed.problem}.`,
  )
}

/** Never over an existing file: two first starts at a time must not end up with two keys. */
function create(file: string, text: string): void {
  try {
    const descriptor = openSync(file, 'wx', keyFileMode)
    try {
      writeFileSync(descriptor, `${text}\n`)
      fsyncSync(descriptor)
    } catch (cause) {
      // A full disk: the empty file would stand in the way of the next start.
      unlinkSync(file)
      throw cause
    } finally {
      closeSync(descriptor)
    }
    syncDirectory(dirname(file))
  } catch (cause) {
    throw new StartError(`The key file ${file} cannot be written (${codeOf(cause)}).`, { cause })
  }
}

/** A power cut must not take the new name away again. Windows cannot open a directory. */
function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown reason'
}
