import type { Config } from './config.ts'
import { checkContext, createSecretBox, type SecretBox, SecretBoxError } from './core/secret-box.ts'
import { loadOrCreateMasterKeys } from './key-files.ts'
import type { Logger } from './logger.ts'
import type { Random } from './random.ts'
import { StartError } from './start-error.ts'
import type { Storage } from './storage/storage.ts'

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
  if (check === null) {
    await storage.transact((tx) =>
      tx.setMeta(checkContext, secretBox.seal('countersign', checkContext)),
    )
    return secretBox
  }
  try {
    secretBox.open(check, checkContext)
    return secretBox
  } catch (error) {
    if (!(error instanceof SecretBoxError)) throw error
    throw new StartError(
      `The master key does not fit the store in ${config.dataDir}: give the key that it was made with, in ${file ?? 'COUNTERSIGN_MASTER_KEYS'}.`,
    )
  }
}
