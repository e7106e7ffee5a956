import { join } from 'node:path'
import type { Config } from './config.ts'

/** The SQLite file in the data directory. */
export function storeFile({ dataDir }: Pick<Config, 'dataDir'>): string {
  return join(dataDir, 'countersign.db')
}
