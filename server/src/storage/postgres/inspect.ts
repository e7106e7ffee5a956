import { checkContext } from '../../core/secret-box.ts'
import { StorageOpenError, type StoreCondition } from '../storage.ts'
import { openError } from './errors.ts'
import { nameOf, readSchemaStatus, withClient } from './migrate.ts'

/** Finds out without changing anything, also beside running servers. */
export async function inspectPostgres(url: string): Promise<StoreCondition> {
  try {
    const { version, knownVersion } = await readSchemaStatus(url)
    if (version === 0) return { kind: 'absent' }
    if (version > knownVersion) {
      return unusable(
        `It has schema version ${version}, but this build knows only ${knownVersion}.`,
      )
    }
    return { kind: 'usable', version, knownVersion, ...(await readFacts(url)) }
  } catch (error) {
    const opened = openError(nameOf(url), error)
    if (opened instanceof StorageOpenError) return unusable(opened.message)
    throw opened
  }
}

function unusable(problem: string): StoreCondition {
  return { kind: 'unusable', problem }
}

function readFacts(url: string) {
  return withClient(url, async (client) => {
    const newest = await client.query(
      `select (
         select e.created_at from events e where e.project_seq = p.seq
         order by e.created_at desc limit 1
       ) as at
       from projects p order by at desc nulls last limit 1`,
    )
    const check = await client.query('select value from meta where key = $1', [checkContext])
    const at: unknown = newest.rows[0]?.at
    const value: unknown = check.rows[0]?.value
    return {
      newestEventAt: at === null || at === undefined ? null : Number(at),
      masterKeyCheck: value instanceof Uint8Array ? value : null,
    }
  })
}
