import { existsSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { checkContext } from '../../core/secret-box.ts'
import { StorageOpenError, type StoreCondition } from '../storage.ts'
import { findDamage } from './database-copy.ts'
import { lossOfDatabase } from './database-file.ts'
import { openError } from './errors.ts'
import { readSchemaStatus } from './migrate.ts'

/** Finds out without changing anything, also beside a running server. */
export async function inspectSqlite(file: string): Promise<StoreCondition> {
  const loss = lossOfDatabase(file)
  if (loss !== null) return unusable(loss)
  if (!existsSync(file) || statSync(file).size === 0) return { kind: 'absent' }
  try {
    const { version, knownVersion } = await readSchemaStatus(file)
    if (version > knownVersion) {
      return unusable(
        `It has schema version ${version}, but this build knows only ${knownVersion}.`,
      )
    }
    const damage = findDamage(file)
    if (damage !== null) return unusable(`It is damaged: ${damage}.`)
    return { kind: 'usable', version, knownVersion, ...readFacts(file) }
  } catch (error) {
    const opened = openError(file, error)
    if (opened instanceof StorageOpenError) return unusable(opened.message)
    throw opened
  }
}

function unusable(problem: string): StoreCondition {
  return { kind: 'unusable', problem }
}

function readFacts(file: string) {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    const newest = database.prepare('select created_at from events order by seq desc limit 1').get()
    const check = database.prepare('select value from meta where key = ?').get(checkContext)
    return {
      newestEventAt: newest === undefined ? null : Number(newest.created_at),
      masterKeyCheck: check === undefined ? null : (check.value as Uint8Array),
    }
  } finally {
    database.close()
  }
}
