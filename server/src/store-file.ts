import { join } from 'node:path'
import type { Config } from './config.ts'
import { shownDatabase } from './option-kinds.ts'

/** The SQLite file in the data directory. */
export function storeFile({ dataDir }: Pick<Config, 'dataDir'>): string {
  return join(dataDir, 'countersign.db')
}

/** How the store is named to an operator. */
export function storeName({ database, dataDir }: Pick<Config, 'database' | 'dataDir'>): string {
  return database === 'sqlite' ? dataDir : shownDatabase(database)
}
