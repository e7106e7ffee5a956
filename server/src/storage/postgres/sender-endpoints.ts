import type { ProjectSettings } from '../../core/project.ts'
import type { SecretAlgorithm } from '../../core/secret.ts'
import { type EndpointRow, toEndpoint } from '../endpoint-row.ts'
import { toSecret } from '../secret-row.ts'
import type { Reads, SenderEndpointRecord } from '../storage.ts'
import type { Connection } from './connection.ts'
import { endpointColumns, endpointTables } from './endpoints.ts'

/** An endpoint beside one of its secrets; all of `s_…` null where it has none. */
interface SenderEndpointRow extends EndpointRow {
  settings: string | null
  s_id: string | null
  s_algorithm: SecretAlgorithm
  s_sealed_value: Uint8Array | null
  s_public_key: string | null
  s_hint: string
  s_fingerprint: string
  s_created_at: number
  s_activates_at: number
  s_expires_at: number | null
  s_last_signed_at: number | null
}

export function senderEndpointReads(connection: Connection): Pick<Reads, 'listSenderEndpoints'> {
  return {
    async listSenderEndpoints(endpointIds) {
      // One statement, so that an endpoint and its secrets are of one instant.
      const rows = await connection.all<SenderEndpointRow>(
        `select ${endpointColumns}, p.settings, s.id as s_id, s.algorithm as s_algorithm,
           s.sealed_value as s_sealed_value, s.public_key as s_public_key, s.hint as s_hint,
           s.fingerprint as s_fingerprint, s.created_at as s_created_at,
           s.activates_at as s_activates_at, s.expires_at as s_expires_at,
           u.last_signed_at as s_last_signed_at
         from ${endpointTables}
         left join projects p on p.id = e.project_id and p.deleted_at is null
         left join secrets s
           on s.endpoint_id = e.id and s.revoked_at is null and s.expiry_seen_at is null
         left join secret_uses u on u.secret_id = s.id
         where e.id = any(?::text[])
         order by e.id, s.activates_at desc, s.id desc`,
        endpointIds,
      )
      return toRecords(rows)
    },
  }
}

/** The rows of one endpoint follow each other. */
function toRecords(rows: readonly SenderEndpointRow[]): SenderEndpointRecord[] {
  const records: SenderEndpointRecord[] = []
  for (const row of rows) {
    let record = records.at(-1)
    if (record?.endpoint.id !== row.id) {
      const settings = row.settings === null ? {} : (JSON.parse(row.settings) as ProjectSettings)
      const { retryScheduleMs = null, secretIdsInEveryFormat = false } = settings
      record = { endpoint: toEndpoint(row), secrets: [], retryScheduleMs, secretIdsInEveryFormat }
      records.push(record)
    }
    if (row.s_id !== null) record.secrets.push(secretOf(row, row.s_id))
  }
  return records
}

function secretOf(row: SenderEndpointRow, id: string) {
  return toSecret({
    id,
    project_id: row.project_id,
    endpoint_id: row.id,
    algorithm: row.s_algorithm,
    sealed_value: row.s_sealed_value,
    public_key: row.s_public_key,
    hint: row.s_hint,
    fingerprint: row.s_fingerprint,
    created_at: row.s_created_at,
    activates_at: row.s_activates_at,
    expires_at: row.s_expires_at,
    revoked_at: null,
    expiry_seen_at: null,
    last_signed_at: row.s_last_signed_at,
  })
}
