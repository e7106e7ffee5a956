import type { CopiedRow, CopiedValue } from '../store-copy.ts'
import { isMadeHere } from './caller-event-ids.ts'

/** A table that is filled from rows of another store. */
export interface ImportedTable {
  name: string
  /** The table of the source whose rows come in here. */
  source: string
  /** Which of them; all where it is absent. */
  takes?: (row: CopiedRow) => boolean
  columns: Readonly<Record<string, ImportedColumn>>
}

export interface ImportedColumn {
  type: 'bigint' | 'integer' | 'double precision' | 'text' | 'boolean' | 'bytea'
  /** The source's column. */
  from: string
  /** What it becomes here; absent: the same. */
  as?: (value: CopiedValue) => CopiedValue
}

type Columns = Record<string, ImportedColumn>

/** In an order in which nothing comes before what it refers to. */
export const importedTables: readonly ImportedTable[] = [
  {
    name: 'projects',
    source: 'projects',
    columns: {
      ...bigints('seq', 'created_at', 'updated_at', 'deleted_at'),
      ...texts('id', 'uid', 'name', 'settings'),
    },
  },
  {
    name: 'api_keys',
    source: 'api_keys',
    columns: {
      ...bigints('seq', 'previous_expires_at', 'created_at', 'expires_at', 'revoked_at'),
      ...bigints('last_used_at'),
      ...texts('id', 'project_id', 'name', 'scopes', 'dialect', 'client_id', 'hint', 'hash'),
      ...texts('previous_hash'),
    },
  },
  {
    name: 'endpoints',
    source: 'endpoints',
    columns: {
      ...bigints('seq', 'blocked_at', 'unverifying_since', 'created_at', 'updated_at'),
      ...bigints('deleted_at'),
      ...texts('id', 'project_id', 'uid', 'url', 'description', 'event_types', 'state'),
      ...texts('blocked_reason', 'format', 'header_names', 'metadata', 'created_by', 'dialect'),
      ...texts('search_text'),
      ...of('boolean', 'signing_enabled'),
      ...of('bytea', 'sealed_headers'),
      ...of('double precision', 'rate_limit_per_second'),
    },
  },
  {
    name: 'endpoint_health',
    source: 'endpoints',
    columns: {
      endpoint_id: { type: 'text', from: 'id' },
      ...texts('health'),
      ...bigints('consecutive_failures', 'last_success_at', 'last_failure_at', 'failing_since'),
      ...bigints('rejections_in_a_row', 'rejecting_since', 'last_rejection_at'),
    },
  },
  {
    name: 'secrets',
    source: 'secrets',
    columns: {
      ...bigints('seq', 'created_at', 'activates_at', 'expires_at', 'revoked_at'),
      ...bigints('expiry_seen_at', 'over_age_told_at'),
      ...texts('id', 'project_id', 'endpoint_id', 'algorithm', 'public_key', 'hint'),
      ...texts('fingerprint'),
      ...of('bytea', 'sealed_value'),
    },
  },
  {
    name: 'secret_uses',
    source: 'secrets',
    takes: (row) => row.last_signed_at !== null,
    columns: { secret_id: { type: 'text', from: 'id' }, ...bigints('last_signed_at') },
  },
  {
    name: 'rotations',
    source: 'rotations',
    columns: {
      ...bigints('seq', 'activates_at', 'previous_secret_expires_at', 'window_ends_at'),
      ...bigints('unclaimed_window_seconds', 'cap_at', 'held_at', 'next_look_at'),
      ...bigints('outcome_closed_at', 'created_at'),
      ...texts('id', 'project_id', 'endpoint_id', 'previous_secret_id', 'new_secret_id'),
      ...texts('complete_when', 'attention', 'evidence', 'watch', 'campaign_id'),
      ...texts('dropped_secret_ids', 'expiries_before', 'reason', 'actor', 'notes'),
      ...texts('outcome_status', 'outcome_completed_by'),
    },
  },
  {
    name: 'reported_secrets',
    source: 'reported_secrets',
    columns: { ...texts('rotation_id', 'secret_id'), ...bigints('count', 'last_at') },
  },
  {
    name: 'claim_links',
    source: 'claim_links',
    columns: {
      ...texts('hash', 'project_id', 'endpoint_id', 'rotation_id'),
      ...bigints('created_at', 'claimed_at', 'disputed_at'),
    },
  },
  {
    name: 'event_types',
    source: 'event_types',
    columns: {
      ...bigints('seq', 'created_at', 'updated_at'),
      project_id: { type: 'text', from: 'project_id', as: (id) => id ?? '' },
      ...texts('name', 'description', 'schema'),
      ...of('boolean', 'is_deprecated'),
    },
  },
  {
    name: 'portal_sessions',
    source: 'portal_sessions',
    columns: {
      ...bigints('seq', 'created_at', 'expires_at', 'revoked_at'),
      ...texts('id', 'project_id', 'actor', 'scopes', 'hash', 'created_by', 'key_hash'),
    },
  },
  {
    name: 'campaigns',
    source: 'campaigns',
    columns: {
      ...bigints('seq', 'per_minute', 'created_at', 'updated_at', 'closed_at'),
      ...texts('id', 'status', 'filter', 'rotation', 'actor'),
      ...of('double precision', 'next_at'),
    },
  },
  {
    name: 'campaign_endpoints',
    source: 'campaign_endpoints',
    columns: {
      ...bigints('seq', 'next_try_at', 'updated_at'),
      ...texts('campaign_id', 'project_id', 'endpoint_id', 'state', 'rotation_id'),
      ...texts('refusal_code', 'refusal_detail'),
    },
  },
  {
    name: 'recoveries',
    source: 'recoveries',
    columns: {
      ...bigints('seq', 'since', 'until', 'after_created_at', 'after_seq'),
      ...texts('endpoint_id', 'statuses'),
    },
  },
  {
    name: 'audit_rows',
    source: 'audit_rows',
    columns: {
      ...bigints('seq', 'at'),
      ...texts('id', 'project_id', 'action', 'actor_type', 'actor_id', 'actor_name'),
      ...texts('target_type', 'target_id', 'reason', 'request_id', 'source_address', 'details'),
    },
  },
  {
    name: 'idempotent_answers',
    source: 'idempotent_answers',
    columns: {
      ...texts('scope', 'body_hash', 'content_type'),
      headers: { type: 'text', from: 'headers', as: (headers) => headers ?? '{}' },
      ...bigints('status_code', 'created_at', 'expires_at'),
      ...of('bytea', 'body'),
      ...of('boolean', 'is_sealed'),
    },
  },
  {
    name: 'announcements',
    source: 'announcements',
    columns: {
      ...texts('rotation_id', 'secret_id', 'kind', 'project_id', 'endpoint_id'),
      ...bigints('at'),
    },
  },
  { name: 'meta', source: 'meta', columns: { ...texts('key'), ...of('bytea', 'value') } },
  {
    name: 'events',
    source: 'events',
    columns: {
      ...bigints('project_seq', 'created_at', 'seq', 'delivery_count'),
      ...texts('id', 'type', 'timestamp', 'metadata', 'data'),
    },
  },
  {
    name: 'caller_event_ids',
    source: 'events',
    takes: (row) => !isMadeHere(String(row.id)),
    columns: { ...bigints('project_seq', 'created_at', 'seq'), ...texts('id') },
  },
  {
    name: 'deliveries',
    source: 'deliveries',
    columns: {
      ...bigints('project_seq', 'created_at', 'seq', 'endpoint_seq', 'event_seq', 'completed_at'),
      ...of('double precision', 'last_duration_ms'),
      ...of('integer', 'attempt_count', 'series_attempt_count', 'last_status_code'),
      ...of('boolean', 'is_test'),
      ...texts('id', 'status', 'failure_reason', 'last_error'),
      missed: { type: 'text', from: 'status', as: (status) => (isMissed(status) ? status : null) },
    },
  },
  {
    name: 'due_deliveries',
    source: 'deliveries',
    takes: (row) => row.status === 'pending',
    columns: {
      ...bigints('project_seq', 'seq', 'endpoint_seq', 'due_at', 'created_at', 'event_seq'),
      ...of('integer', 'attempt_count', 'series_attempt_count'),
      ...of('boolean', 'is_test'),
      ...texts('id'),
      // Leases are of one process: whoever had one is gone.
      lease_until: { type: 'bigint', from: 'status', as: () => 0 },
      lease_token: { type: 'bigint', from: 'status', as: () => 0 },
    },
  },
  {
    name: 'attempts',
    source: 'attempts',
    columns: {
      ...bigints('project_seq', 'created_at', 'delivery_seq', 'started_at'),
      ...of('integer', 'number', 'status_code'),
      ...of('double precision', 'duration_ms'),
      ...of('boolean', 'response_body_truncated'),
      ...texts('id', 'method', 'url', 'request_headers', 'secret_ids', 'response_headers'),
      ...of('bytea', 'response_body'),
      ...texts('error', 'error_detail'),
    },
  },
]

function isMissed(status: CopiedValue): boolean {
  return status === 'failed' || status === 'skipped'
}

function bigints(...names: readonly string[]): Columns {
  return of('bigint', ...names)
}

function texts(...names: readonly string[]): Columns {
  return of('text', ...names)
}

/** Columns that are called the same in the source. */
function of(type: ImportedColumn['type'], ...names: readonly string[]): Columns {
  return Object.fromEntries(names.map((name) => [name, { type, from: name }]))
}
