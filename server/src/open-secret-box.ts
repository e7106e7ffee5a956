import type { Config } from './config.ts'
import { checkContext, createSecretBox, type SecretBox, SecretBoxError } from './core/secret-box.ts'
import { loadOrCreateMasterKeys } from './key-files.ts'
import type { Logger } from './logger.ts'
import type { Random } from './random.ts'
import { StartError } from './start-error.ts'
import type { Storage } from './storage/storage.ts'
import { storeName } from './store-file.ts'

/**
 * Opens the ring of master keys and makes sure that it fits what the store holds.
 *
 * @throws StartError
 */
export async function openSecretBox(options: {
  config: Config
  storage: Storage
  random: Random
  logger: Logger
}): Promise<SecretBox> {
  const { config, storage, random, logger } = options
  const check = await storage.getMeta(checkContext)
  const { keys, file, isNew, warnings } = loadOrCreateMasterKeys({
    config,
    randomBytes: random.bytes,
    isStoreSealed: check !== null,
  })
  for (const warning of warnings) logger.warn(warning)
  if (isNew) logger.info({ file }, 'Made a master key. Keep a copy of it apart from the backups.')
  const secretBox = createSecretBox({ masterKeys: keys, randomBytes: random.bytes })
  try {
    secretBox.open(check ?? (await makeCheck(storage, secretBox)), checkContext)
    return secretBox
  } catch (error) {
    if (!(error instanceof SecretBoxError)) throw error
    throw new StartError(
      `The master key does not fit the store in ${storeName(config)}: give the key that it was made with, in ${file ?? 'COUNTERSIGN_MASTER_KEYS'}.`,
    )
  }
}

/** What tells the right ring from a wrong one; another node may have made it a moment before. */
function makeCheck(storage: Storage, secretBox: SecretBox): Promise<Uint8Array> {
  return storage.transact(async (tx) => {
    const made = await tx.getMeta(checkContext)
    if (made !== null) return made
    const check = secretBox.seal('countersign', checkContext)
    await tx.setMeta(checkContext, check)
    return check
  })
}
