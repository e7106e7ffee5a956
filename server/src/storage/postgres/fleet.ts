import type { Blocker } from '../../core/fleet.ts'
import { type FleetRow, toFleetEntry } from '../fleet-row.ts'
import type { FleetFilter, Reads, Transaction } from '../storage.ts'
import type { Connection, Value } from './connection.ts'
import { toPage } from './pages.ts'
import { rotationColumns } from './rotations.ts'

/**
 * Everything begins with the newest secrets in the order of their age (`secrets_by_age`), so a page
 * costs its own rows and those that the filter passes over; the rest is looked up by key.
 */
export const newestSecrets = `secrets s
  join endpoints e on e.id = s.endpoint_id
  join projects p on p.id = s.project_id`

const openRotation = `left join rotations r on r.seq = (
    select max(o.seq) from rotations o
    where o.endpoint_id = s.endpoint_id and o.outcome_status is null)
  left join secrets previous on previous.id = r.previous_secret_id`

const isNewest = 's.revoked_at is null and s.expires_at is null'

/** The limit of the project, which may be null though the instance has one. */
const policyOf = (project: string) => `(${project}.settings::json -> 'secretPolicy')`
const maxAgeDays = `case when (${policyOf('p')} -> 'maxAgeDays') is null then ?::bigint
  else (${policyOf('p')} ->> 'maxAgeDays')::bigint end`

export function fleetReads(connection: Connection): Pick<Reads, 'listFleet' | 'countOverAge'> {
  return {
    async listFleet(filter, page) {
      const { conditions, values } = fleetConditions(filter)
      const after = parseAgeKey(page.after)
      const rows = await connection.all<FleetRow>(
        `select ${rotationColumns}, s.seq as secret_seq, s.id as secret_id, s.algorithm,
           s.created_at as secret_created_at, s.over_age_told_at, e.id as endpoint_id_of_entry,
           e.uid, e.url, e.format, e.unverifying_since, p.id as project_id_of_entry,
           p.name as project_name, p.settings
         from ${newestSecrets} ${openRotation}
         where ${conditions} and (s.created_at, s.seq) > (?::bigint, ?::bigint)
         order by s.created_at, s.seq
         limit ?`,
        ...values,
        after.at,
        after.seq,
        page.limit + 1,
      )
      return toPage(rows, page, (row) => `${row.secret_created_at}.${row.secret_seq}`, toFleetEntry)
    },

    async countOverAge({ now, defaultMaxAgeDays }) {
      const { conditions, values } = fleetConditions({ now, defaultMaxAgeDays, isOverAge: true })
      const row = await connection.one<{ count: number }>(
        `select count(*) as count from ${newestSecrets} where ${conditions}`,
        ...values,
      )
      return row?.count ?? 0
    },
  }
}

export function fleetWrites(connection: Connection): Pick<Transaction, 'noteOverAge'> {
  return {
    async noteOverAge(secretId, at) {
      await connection.run('update secrets set over_age_told_at = ? where id = ?', at, secretId)
    },
  }
}

/** Conditions on `newestSecrets`, and on the open rotation where a blocker asks for it. */
export function fleetConditions(filter: FleetFilter): {
  conditions: string
  values: Value[]
} {
  const conditions = [isNewest, 'e.deleted_at is null', 'p.deleted_at is null']
  const values: Value[] = []
  const add = (condition: string, ...given: Value[]) => {
    conditions.push(condition)
    values.push(...given)
  }
  const { now, blocker } = filter
  if (filter.projectIds !== undefined) {
    add('s.project_id = any(?::text[])', filter.projectIds)
  }
  if (filter.endpointIds !== undefined) {
    add('s.endpoint_id = any(?::text[])', filter.endpointIds)
  }
  if (filter.algorithm !== undefined) add('s.algorithm = ?', filter.algorithm)
  if (filter.createdUntil !== undefined) add('s.created_at <= ?', filter.createdUntil)
  if (filter.isOverAge || blocker === 'over_age') {
    add(`s.created_at <= ?::bigint - 86400000 * ${maxAgeDays}`, now, filter.defaultMaxAgeDays)
    // By the shortest age that anyone sets, so that the index need not be read to its end.
    add(
      `s.created_at <= ?::bigint - 86400000 * (select min(days) from (
         select ?::bigint as days
         union all select (${policyOf('o')} ->> 'maxAgeDays')::bigint from projects o) as ages)`,
      now,
      filter.defaultMaxAgeDays,
    )
  }
  if (blocker === 'unverifying') add('e.unverifying_since is not null')
  const column = blocker === undefined ? undefined : rotationColumnOf[blocker]
  if (column !== undefined) {
    add(
      `${column} is not null and previous.expiry_seen_at is null
       and (r.previous_secret_expires_at is null or r.previous_secret_expires_at > ?::bigint)`,
      now,
    )
  }
  return { conditions: conditions.join(' and '), values }
}

const rotationColumnOf: Partial<Record<Blocker, string>> = {
  rotation_held: 'r.held_at',
  rotation_attention: 'r.attention',
  rotation_unclaimed: 'r.unclaimed_window_seconds',
}

/** Oldest first, unlike other lists. A key that no list made starts at the end. */
function parseAgeKey(after: string | null): { at: number; seq: number } {
  if (after === null) return { at: -1, seq: -1 }
  const [at = Number.NaN, seq = Number.NaN] = after.split('.').map(Number)
  const isKnown = Number.isSafeInteger(at) && Number.isSafeInteger(seq)
  return isKnown ? { at, seq } : { at: Number.MAX_SAFE_INTEGER, seq: 0 }
}
