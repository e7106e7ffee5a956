import type { Health } from '../../core/health.ts'
import type { Connection } from './connection.ts'

/** Of a new endpoint. */
export async function insertHealth(
  connection: Connection,
  endpointId: string,
  health: Health,
): Promise<void> {
  await connection.run(
    `insert into endpoint_health (endpoint_id, health, consecutive_failures, last_success_at,
       last_failure_at, failing_since, rejections_in_a_row, rejecting_since, last_rejection_at)
     ${unnestHealth}`,
    ...healthColumns([[endpointId, health]]),
  )
}

const unnestHealth = `select * from unnest(?::text[], ?::text[], ?::bigint[], ?::bigint[],
  ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[])`

export async function updateHealth(
  connection: Connection,
  changes: readonly (readonly [string, Health])[],
): Promise<void> {
  await connection.run(
    `update endpoint_health h
     set health = n.health, consecutive_failures = n.consecutive_failures,
       last_success_at = n.last_success_at, last_failure_at = n.last_failure_at,
       failing_since = n.failing_since, rejections_in_a_row = n.rejections_in_a_row,
       rejecting_since = n.rejecting_since, last_rejection_at = n.last_rejection_at
     from (${unnestHealth}) as n(endpoint_id, health, consecutive_failures, last_success_at,
       last_failure_at, failing_since, rejections_in_a_row, rejecting_since, last_rejection_at)
     where h.endpoint_id = n.endpoint_id`,
    ...healthColumns(changes),
  )
}

/** Column by column, in the order of `unnestHealth`. */
function healthColumns(changes: readonly (readonly [string, Health])[]) {
  return [
    changes.map(([id]) => id),
    changes.map(([, { health }]) => health),
    changes.map(([, { consecutiveFailures }]) => consecutiveFailures),
    changes.map(([, { lastSuccessAt }]) => lastSuccessAt),
    changes.map(([, { lastFailureAt }]) => lastFailureAt),
    changes.map(([, { failingSince }]) => failingSince),
    changes.map(([, { rejectionsInARow }]) => rejectionsInARow),
    changes.map(([, { rejectingSince }]) => rejectingSince),
    changes.map(([, { lastRejectionAt }]) => lastRejectionAt),
  ]
}
