import type { SQLInputValue } from 'node:sqlite'
import type { Endpoint, EndpointCondition } from '../../core/endpoint.ts'
import type { Health } from '../../core/health.ts'
import { type EndpointRow, toEndpoint } from '../endpoint-row.ts'
import type { EndpointFilter, Reads, Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'
import type { Effects } from './effects.ts'
import { readSeqPage } from './pages.ts'
import { openRotationOf } from './rotations.ts'
import type { Subscriptions } from './subscriptions.ts'

const columns = `seq, id, project_id, uid, url, description, event_types, state, blocked_at,
  blocked_reason, signing_enabled, format, header_names, sealed_headers, metadata,
  rate_limit_per_second, created_by, dialect, health, consecutive_failures, last_success_at, last_failure_at,
  failing_since, rejections_in_a_row, rejecting_since, last_rejection_at, unverifying_since,
  created_at, updated_at, deleted_at`

/** `EndpointCondition` of a row. */
const conditionOf = `case
  when health = 'blocked' then 'blocked'
  when state = 'disabled' then 'disabled'
  when health = 'failing' then 'failing'
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
      const row = connection.one<EndpointRow>(
        `select ${columns} from endpoints
         where project_id = ?1 and (id = ?2 or uid = ?2) and deleted_at is null`,
        projectId,
        ref,
      )
      return row === undefined ? null : toEndpoint(row)
    },

    async getEndpointById(endpointId) {
      const row = connection.one<EndpointRow>(
        `select ${columns} from endpoints where id = ?`,
        endpointId,
      )
      return row === undefined ? null : toEndpoint(row)
    },

    async listEndpoints(projectId, filter, page) {
      const { conditions, values } = endpointConditions(filter)
      return readSeqPage(
        connection,
        `select ${columns} from endpoints
         where project_id = ? and deleted_at is null ${conditions} and seq < ?
         order by seq desc
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
          : `and seq ${beyond} (select seq from endpoints where id = ? and project_id = ?)`
      const rows = connection.all<EndpointRow>(
        `select ${columns} from endpoints
         where project_id = ? and deleted_at is null ${conditions} ${after}
         order by seq ${order}
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
      const row = connection.one<{ count: number }>(
        `select count(*) as count from endpoints
         where project_id = ? and deleted_at is null ${conditions}`,
        projectId,
        ...values,
      )
      return row?.count ?? 0
    },

    async countEndpointsByCondition(projectId) {
      const rows = connection.all<{ condition: EndpointCondition; count: number }>(
        `select ${conditionOf} as condition, count(*) as count from endpoints
         where project_id = ? and deleted_at is null
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
  subscriptions: Subscriptions,
): Pick<
  Transaction,
  | 'insertEndpoint'
  | 'updateEndpoint'
  | 'updateEndpointHealth'
  | 'markUnverifying'
  | 'deleteEndpoint'
> {
  function changed(endpoint: { id: string; projectId: string }): void {
    effects.touch('endpointIds', endpoint.id)
    subscriptions.forget(endpoint.projectId)
  }

  return {
    async insertEndpoint(endpoint) {
      insertEndpoint(connection, endpoint)
      changed(endpoint)
    },

    async updateEndpoint(endpoint) {
      updateEndpoint(connection, endpoint)
      changed(endpoint)
    },

    async updateEndpointHealth(endpointId, health) {
      const before = connection.one<{ project_id: string; health: Health['health'] }>(
        'select project_id, health from endpoints where id = ?',
        endpointId,
      )
      if (before === undefined) return
      connection.run(
        `update endpoints
         set health = ?, consecutive_failures = ?, last_success_at = ?, last_failure_at = ?,
           failing_since = ?, rejections_in_a_row = ?, rejecting_since = ?, last_rejection_at = ?
         where id = ?`,
        health.health,
        health.consecutiveFailures,
        health.lastSuccessAt,
        health.lastFailureAt,
        health.failingSince,
        health.rejectionsInARow,
        health.rejectingSince,
        health.lastRejectionAt,
        endpointId,
      )
      // Only blocking changes what is sent; all else would wake every consumer at each attempt.
      if ((before.health === 'blocked') === (health.health === 'blocked')) return
      changed({ id: endpointId, projectId: before.project_id })
    },

    async markUnverifying(endpointId, since) {
      connection.run('update endpoints set unverifying_since = ? where id = ?', since, endpointId)
    },

    async deleteEndpoint(endpointId, at) {
      const row = connection.one<{ project_id: string }>(
        'select project_id from endpoints where id = ? and deleted_at is null',
        endpointId,
      )
      if (row === undefined) return
      wipeEndpoint(connection, effects, endpointId, at)
      subscriptions.forget(row.project_id)
    },
  }
}

/** Hides an endpoint with all that it holds; its deliveries stay, to be failed when claimed. */
export function wipeEndpoint(
  connection: Connection,
  effects: Effects,
  endpointId: string,
  at: number,
): void {
  connection.run(
    'update endpoints set deleted_at = ?, updated_at = ?, sealed_headers = null where id = ?',
    at,
    at,
    endpointId,
  )
  connection.run(
    `update secrets
     set sealed_value = null,
       revoked_at = case
         when revoked_at is not null or expiry_seen_at is not null or expires_at <= ?1
         then revoked_at else ?1 end
     where endpoint_id = ?2`,
    at,
    endpointId,
  )
  connection.run('delete from announcements where endpoint_id = ?', endpointId)
  effects.touch('endpointIds', endpointId)
  effects.add({ kind: 'endpointDeleted', endpointId, at })
  effects.add({ kind: 'erase' })
}

function endpointConditions(filter: EndpointFilter): {
  conditions: string
  values: SQLInputValue[]
} {
  const conditions: string[] = []
  const values: SQLInputValue[] = []
  if (filter.state !== undefined) {
    conditions.push('and state = ?')
    values.push(filter.state)
  }
  if (filter.health !== undefined) {
    conditions.push('and health = ?')
    values.push(filter.health)
  }
  if (filter.search !== undefined) {
    conditions.push('and instr(search_text, ?) > 0')
    values.push(filter.search.toLowerCase())
  }
  if (filter.rotatingAt !== undefined) {
    conditions.push(`and exists (${openRotationOf('endpoints')})`)
    values.push(filter.rotatingAt)
  }
  if (filter.condition !== undefined) {
    conditions.push(`and ${conditionOf} = ?`)
    values.push(filter.condition)
  }
  if (filter.createdById !== undefined) {
    conditions.push(`and created_by ->> 'id' = ?`)
    values.push(filter.createdById)
  }
  if (filter.dialect !== undefined) {
    conditions.push('and dialect = ?')
    values.push(filter.dialect)
  }
  if (filter.notDialect !== undefined) {
    conditions.push('and dialect is not ?')
    values.push(filter.notDialect)
  }
  return { conditions: conditions.join(' '), values }
}

function insertEndpoint(connection: Connection, endpoint: Endpoint): void {
  connection.write(
    `insert into endpoints (id, project_id, uid, url, description, event_types, state, blocked_at,
       blocked_reason, signing_enabled, format, header_names, sealed_headers, metadata,
       rate_limit_per_second, created_by, dialect, search_text, health, consecutive_failures,
       last_success_at, last_failure_at, failing_since, rejections_in_a_row, rejecting_since,
       last_rejection_at, unverifying_since, created_at, updated_at)
     values (:id, :projectId, :uid, :url, :description, :eventTypes, :state, :blockedAt,
       :blockedReason, :signingEnabled, :format, :headerNames, :sealedHeaders, :metadata,
       :rateLimitPerSecond, :createdBy, :dialect, :searchText, :health, :consecutiveFailures,
       :lastSuccessAt, :lastFailureAt, :failingSince, :rejectionsInARow, :rejectingSince,
       :lastRejectionAt, :unverifyingSince, :createdAt, :updatedAt)`,
    {
      ...mutableColumns(endpoint),
      projectId: endpoint.projectId,
      createdBy: JSON.stringify(endpoint.createdBy),
      dialect: endpoint.dialect,
      health: endpoint.health,
      consecutiveFailures: endpoint.consecutiveFailures,
      lastSuccessAt: endpoint.lastSuccessAt,
      lastFailureAt: endpoint.lastFailureAt,
      failingSince: endpoint.failingSince,
      rejectionsInARow: endpoint.rejectionsInARow,
      rejectingSince: endpoint.rejectingSince,
      lastRejectionAt: endpoint.lastRejectionAt,
      unverifyingSince: endpoint.unverifyingSince,
      createdAt: endpoint.createdAt,
    },
  )
}

function updateEndpoint(connection: Connection, endpoint: Endpoint): void {
  connection.write(
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

function mutableColumns(endpoint: Endpoint): Record<string, SQLInputValue> {
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
    signingEnabled: endpoint.signingEnabled ? 1 : 0,
    format: endpoint.format,
    headerNames: JSON.stringify(endpoint.headerNames),
    sealedHeaders: endpoint.sealedHeaders,
    metadata: JSON.stringify(endpoint.metadata),
    rateLimitPerSecond: endpoint.rateLimitPerSecond,
    // SQLite's own lower() knows only ASCII.
    searchText: [url, description ?? '', uid ?? ''].join('\n').toLowerCase(),
    updatedAt: endpoint.updatedAt,
  }
}
