import { type SecretRow, toSecret } from '../secret-row.ts'
import type { Reads, Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'
import type { Effects } from './effects.ts'

export function secretReads(connection: Connection): Pick<Reads, 'listSecrets'> {
  return {
    async listSecrets(endpointId) {
      const rows = await connection.all<SecretRow>(
        `select s.id, s.project_id, s.endpoint_id, s.algorithm, s.sealed_value, s.public_key, s.hint,
           s.fingerprint, s.created_at, s.activates_at, s.expires_at, s.revoked_at,
           s.expiry_seen_at, u.last_signed_at
         from secrets s left join secret_uses u on u.secret_id = s.id
         where s.endpoint_id = ?
         order by s.activates_at desc, s.id desc`,
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
  /** In one order, so that two nodes that note the same secrets wait for each other once. */
  async function touch(uses: readonly { id: string; at: number }[]): Promise<void> {
    const sorted = [...uses].sort((a, b) => (a.id < b.id ? -1 : 1))
    await connection.run(
      `insert into secret_uses (secret_id, last_signed_at)
       select id, at from unnest(?::text[], ?::bigint[]) as u(id, at)
       on conflict (secret_id) do update
       set last_signed_at = greatest(secret_uses.last_signed_at, excluded.last_signed_at)`,
      sorted.map(({ id }) => id),
      sorted.map(({ at }) => at),
    )
  }

  return {
    async insertSecret(secret) {
      await connection.write(
        `insert into secrets (id, project_id, endpoint_id, algorithm, sealed_value, public_key, hint,
           fingerprint, created_at, activates_at, expires_at, revoked_at, expiry_seen_at)
         values (:id, :projectId, :endpointId, :algorithm, :sealedValue, :publicKey, :hint,
           :fingerprint, :createdAt, :activatesAt, :expiresAt, :revokedAt, :expirySeenAt)`,
        { ...secret },
      )
      const { id, lastSignedAt } = secret
      if (lastSignedAt !== null) await touch([{ id, at: lastSignedAt }])
      effects.touch('endpointIds', secret.endpointId)
    },

    async updateSecretTimes(change) {
      const row = await connection.one<{ endpoint_id: string }>(
        `update secrets
         set expires_at = case when ?::boolean then ?::bigint else expires_at end,
           revoked_at = case when ?::boolean then ?::bigint else revoked_at end
         where id = ?
         returning endpoint_id`,
        change.expiresAt !== undefined,
        change.expiresAt ?? null,
        change.revokedAt !== undefined,
        change.revokedAt ?? null,
        change.id,
      )
      if (row !== undefined) effects.touch('endpointIds', row.endpoint_id)
    },

    async latchExpiredSecrets(secretIds, at) {
      for (const id of secretIds) {
        const row = await connection.one<{ endpoint_id: string }>(
          `update secrets set expiry_seen_at = ?
           where id = ? and expiry_seen_at is null
           returning endpoint_id`,
          at,
          id,
        )
        if (row !== undefined) effects.touch('endpointIds', row.endpoint_id)
      }
    },

    touchSecrets: touch,
  }
}
