import { type SecretRow, toSecret } from '../secret-row.ts'
import type { Reads, Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'
import type { Effects } from './effects.ts'

export function secretReads(connection: Connection): Pick<Reads, 'listSecrets'> {
  return {
    async listSecrets(endpointId) {
      const rows = connection.all<SecretRow>(
        `select id, project_id, endpoint_id, algorithm, sealed_value, public_key, hint, fingerprint,
           created_at, activates_at, expires_at, revoked_at, expiry_seen_at, last_signed_at
         from secrets
         where endpoint_id = ?
         order by activates_at desc, id desc`,
        endpointId,
      )
      return rows.map(toSecret)
    },
  }
}

/** Every change but the note of use concerns who signs: it touches the endpoint. */
export function secretWrites(
  connection: Connection,
  effects: Effects,
): Pick<
  Transaction,
  'insertSecret' | 'updateSecretTimes' | 'latchExpiredSecrets' | 'touchSecrets'
> {
  return {
    async insertSecret(secret) {
      connection.write(
        `insert into secrets (id, project_id, endpoint_id, algorithm, sealed_value, public_key, hint,
           fingerprint, created_at, activates_at, expires_at, revoked_at, expiry_seen_at,
           last_signed_at)
         values (:id, :projectId, :endpointId, :algorithm, :sealedValue, :publicKey, :hint,
           :fingerprint, :createdAt, :activatesAt, :expiresAt, :revokedAt, :expirySeenAt,
           :lastSignedAt)`,
        { ...secret },
      )
      effects.touch('endpointIds', secret.endpointId)
    },

    async updateSecretTimes(change) {
      const row = connection.one<{ endpoint_id: string }>(
        `update secrets
         set expires_at = iif(?, ?, expires_at), revoked_at = iif(?, ?, revoked_at)
         where id = ?
         returning endpoint_id`,
        change.expiresAt === undefined ? 0 : 1,
        change.expiresAt ?? null,
        change.revokedAt === undefined ? 0 : 1,
        change.revokedAt ?? null,
        change.id,
      )
      if (row !== undefined) effects.touch('endpointIds', row.endpoint_id)
    },

    async latchExpiredSecrets(secretIds, at) {
      for (const id of secretIds) {
        const row = connection.one<{ endpoint_id: string }>(
          `update secrets set expiry_seen_at = ?
           where id = ? and expiry_seen_at is null
           returning endpoint_id`,
          at,
          id,
        )
        if (row !== undefined) effects.touch('endpointIds', row.endpoint_id)
      }
    },

    async touchSecrets(uses) {
      for (const use of uses) {
        connection.run(
          'update secrets set last_signed_at = max(coalesce(last_signed_at, 0), ?) where id = ?',
          use.at,
          use.id,
        )
      }
    },
  }
}
