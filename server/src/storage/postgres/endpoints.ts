import type { Endpoint, EndpointCondition } from '../../core/endpoint.ts'
import { type EndpointRow, toEndpoint } from '../endpoint-row.ts'
import {
  type EndpointFilter,
  type Reads,
  StorageConflictError,
  type Transaction,
} from '../storage.ts'
import type { Connection, Value } from './connection.ts'
import type { Effects } from './effects.ts'
import { insertHealth } from './endpoint-health.ts'
import { readSeqPage } from './pages.ts'
import { openRotationOf } from './rotations.ts'

export const endpointColumns = `e.seq, e.id, e.project_id, e.uid, e.url, e.description, e.event_types, e.state,
  e.blocked_at, e.blocked_reason, e.signing_enabled, e.format, e.header_names, e.sealed_headers,
  e.metadata, e.rate_limit_per_second, e.created_by, e.dialect, h.health, h.consecutive_failures,
  h.last_success_at, h.last_failure_at, h.failing_since, h.rejections_in_a_row, h.rejecting_since,
  h.last_rejection_at, e.unverifying_since, e.created_at, e.updated_at, e.deleted_at`

/** The health of every endpoint is a row of its own. */
export const endpointTables = 'endpoints e join endpoint_health h on h.endpoint_id = e.id'

/** `EndpointCondition` of a row. */
const conditionOf = `case
  when h.health = 'blocked' then 'blocked'
  when e.state = 'disabled' then 'disabled'
  when h.health = 'failing' then 'failing'
  else 'active' end`

export function endpointReads(
  connection: Connection,
): Pick<
  Reads,
  | 'getEndpoint'
  | 'getEndpointById'
  | 'listEndpoints'
  | 'listEndpointsAt'
  | 'countEndpoints'
  | 'countEndpointsByCondition'
> {
  return {
    async getEndpoint(projectId, ref) {
      const row = await connection.one<EndpointRow>(
        `select ${endpointColumns} from ${endpointTables}
         where e.project_id = ?1 and (e.id = ?2 or e.uid = ?2) and e.deleted_at is null`,
        projectId,
        ref,
      )
      return row === undefined ? null : toEndpoint(row)
    },

    async getEndpointById(endpointId) {
      const row = await connection.one<EndpointRow>(
        `select ${endpointColumns} from ${endpointTables} where e.id = ?`,
        endpointId,
      )
      return row === undefined ? null : toEndpoint(row)
    },

    async listEndpoints(projectId, filter, page) {
      const { conditions, values } = endpointConditions(filter)
      return readSeqPage(
        connection,
        `select ${endpointColumns} from ${endpointTables}
         where e.project_id = ? and e.deleted_at is null ${conditions} and e.seq < ?
         order by e.seq desc
         limit ?`,
        [projectId, ...values],
        page,
        toEndpoint,
      )
    },

    async listEndpointsAt(projectId, filter, { skip, limit, isOldestFirst = false, afterId }) {
      const { conditions, values } = endpointConditions(filter)
      const [order, beyond] = isOldestFirst ? ['asc', '>'] : ['desc', '<']
      const after =
        afterId === undefined
          ? ''
          : `and e.seq ${beyond} (select seq from endpoints where id = ? and project_id = ?)`
      const rows = await connection.all<EndpointRow>(
        `select ${endpointColumns} from ${endpointTables}
         where e.project_id = ? and e.deleted_at is null ${conditions} ${after}
         order by e.seq ${order}
         limit ? offset ?`,
        projectId,
        ...values,
        ...(afterId === undefined ? [] : [afterId, projectId]),
        limit,
        skip,
      )
      return rows.map(toEndpoint)
    },

    async countEndpoints(projectId, filter = {}) {
      const { conditions, values } = endpointConditions(filter)
      const row = await connection.one<{ count: number }>(
        `select count(*) as count from ${endpointTables}
         where e.project_id = ? and e.deleted_at is null ${conditions}`,
        projectId,
        ...values,
      )
      return row?.count ?? 0
    },

    async countEndpointsByCondition(projectId) {
      const rows = await connection.all<{ condition: EndpointCondition; count: number }>(
        `select ${conditionOf} as condition, count(*) as count from ${endpointTables}
         where e.project_id = ? and e.deleted_at is null
         group by 1`,
        projectId,
      )
      const counts = { active: 0, failing: 0, blocked: 0, disabled: 0 }
      for (const { condition, count } of rows) counts[condition] = count
      return counts
    },
  }
}

export function endpointWrites(
  connection: Connection,
  effects: Effects,
): Pick<Transaction, 'insertEndpoint' | 'updateEndpoint' | 'markUnverifying' | 'deleteEndpoint'> {
  function changed(endpoint: { id: string; projectId: string }): void {
    effects.touch('endpointIds', endpoint.id)
    effects.add({ kind: 'subscriptions', projectId: endpoint.projectId })
  }

  return {
    async insertEndpoint(endpoint) {
      await insertEndpoint(connection, endpoint)
      changed(endpoint)
    },

    async updateEndpoint(endpoint) {
      await updateEndpoint(connection, endpoint)
      changed(endpoint)
    },

    async markUnverifying(endpointId, since) {
      await connection.run(
        'update endpoints set unverifying_since = ? where id = ?',
        since,
        endpointId,
      )
    },

    async deleteEndpoint(endpointId, at) {
      const row = await connection.one<{ project_id: string }>(
        'select project_id from endpoints where id = ? and deleted_at is null',
        endpointId,
      )
      if (row === undefined) return
      await wipeEndpoint(connection, effects, endpointId, at)
      effects.add({ kind: 'subscriptions', projectId: row.project_id })
    },
  }
}

/** Hides an endpoint with all that it holds; its deliveries stay, to be failed when claimed. */
export async function wipeEndpoint(
  connection: Connection,
  effects: Effects,
  endpointId: string,
  at: number,
): Promise<void> {
  await connection.run(
    'update endpoints set deleted_at = ?, updated_at = ?, sealed_headers = null where id = ?',
    at,
    at,
    endpointId,
  )
  await connection.run(
    `update secrets
     set sealed_value = null,
       revoked_at = case
         when revoked_at is not null or expiry_seen_at is not null or expires_at <= ?1::bigint
         then revoked_at else ?1::bigint end
     where endpoint_id = ?2`,
    at,
    endpointId,
  )
  await connection.run('delete from announcements where endpoint_id = ?', endpointId)
  effects.touch('endpointIds', endpointId)
  effects.add({ kind: 'endpointDeleted', endpointId, at })
}

function endpointConditions(filter: EndpointFilter): {
  conditions: string
  values: Value[]
} {
  const conditions: string[] = []
  const values: Value[] = []
  if (filter.state !== undefined) {
    conditions.push('and e.state = ?')
    values.push(filter.state)
  }
  if (filter.health !== undefined) {
    conditions.push('and h.health = ?')
    values.push(filter.health)
  }
  if (filter.search !== undefined) {
    conditions.push('and strpos(e.search_text, ?) > 0')
    values.push(filter.search.toLowerCase())
  }
  if (filter.rotatingAt !== undefined) {
    conditions.push(`and exists (${openRotationOf('e')})`)
    values.push(filter.rotatingAt)
  }
  if (filter.condition !== undefined) {
    conditions.push(`and ${conditionOf} = ?`)
    values.push(filter.condition)
  }
  if (filter.createdById !== undefined) {
    conditions.push(`and e.created_by::json ->> 'id' = ?`)
    values.push(filter.createdById)
  }
  if (filter.dialect !== undefined) {
    conditions.push('and e.dialect = ?')
    values.push(filter.dialect)
  }
  if (filter.notDialect !== undefined) {
    conditions.push('and e.dialect is distinct from ?')
    values.push(filter.notDialect)
  }
  return { conditions: conditions.join(' '), values }
}

async function insertEndpoint(connection: Connection, endpoint: Endpoint): Promise<void> {
  const count = await connection.write(
    `insert into endpoints (id, project_id, uid, url, description, event_types, state, blocked_at,
       blocked_reason, signing_enabled, format, header_names, sealed_headers, metadata,
       rate_limit_per_second, created_by, dialect, search_text, unverifying_since, created_at,
       updated_at)
     values (:id, :projectId, :uid, :url, :description, :eventTypes, :state, :blockedAt,
       :blockedReason, :signingEnabled, :format, :headerNames, :sealedHeaders, :metadata,
       :rateLimitPerSecond, :createdBy, :dialect, :searchText, :unverifyingSince, :createdAt,
       :updatedAt)
     on conflict (project_id, uid) where uid is not null and deleted_at is null do nothing`,
    {
      ...mutableColumns(endpoint),
      projectId: endpoint.projectId,
      createdBy: JSON.stringify(endpoint.createdBy),
      dialect: endpoint.dialect,
      unverifyingSince: endpoint.unverifyingSince,
      createdAt: endpoint.createdAt,
    },
  )
  if (count === 0) throw new StorageConflictError('endpoint_uid')
  await insertHealth(connection, endpoint.id, endpoint)
}

async function updateEndpoint(connection: Connection, endpoint: Endpoint): Promise<void> {
  const taken = await connection.one(
    `select 1 from endpoints
     where project_id = ? and uid = ? and deleted_at is null and id <> ?`,
    endpoint.projectId,
    endpoint.uid,
    endpoint.id,
  )
  if (taken !== undefined) throw new StorageConflictError('endpoint_uid')
  await connection.write(
    `update endpoints
     set uid = :uid, url = :url, description = :description, event_types = :eventTypes,
       state = :state, blocked_at = :blockedAt, blocked_reason = :blockedReason,
       signing_enabled = :signingEnabled, format = :format,
       header_names = :headerNames, sealed_headers = :sealedHeaders, metadata = :metadata,
       rate_limit_per_second = :rateLimitPerSecond, search_text = :searchText,
       updated_at = :updatedAt
     where id = :id and deleted_at is null`,
    mutableColumns(endpoint),
  )
}

function mutableColumns(endpoint: Endpoint): Record<string, Value> {
  const { uid, url, description } = endpoint
  return {
    id: endpoint.id,
    uid,
    url,
    description,
    eventTypes: JSON.stringify(endpoint.eventTypes),
    state: endpoint.state,
    blockedAt: endpoint.blockedAt,
    blockedReason: endpoint.blockedReason,
    signingEnabled: endpoint.signingEnabled,
    format: endpoint.format,
    headerNames: JSON.stringify(endpoint.headerNames),
    sealedHeaders: endpoint.sealedHeaders,
    metadata: JSON.stringify(endpoint.metadata),
    rateLimitPerSecond: endpoint.rateLimitPerSecond,
    // The database's own lower() depends on its language.
    searchText: [url, description ?? '', uid ?? ''].join('\n').toLowerCase(),
    updatedAt: endpoint.updatedAt,
  }
}
