import type { ApiKey } from '../../core/api-key.ts'
import { type ApiKeyRow, toApiKey } from '../api-key-row.ts'
import type { Reads, Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'
import type { Effects } from './effects.ts'
import { readSeqPage } from './pages.ts'

const columns = `k.seq, k.id, k.project_id, k.name, k.scopes, k.dialect, k.client_id, k.hint,
  k.hash, k.previous_hash, k.previous_expires_at, k.created_at, k.expires_at, k.revoked_at, k.last_used_at`

/** Keys of projects that are not deleted. */
const liveKeys = `api_keys k join projects p on p.id = k.project_id and p.deleted_at is null`

export function apiKeyReads(
  connection: Connection,
): Pick<
  Reads,
  'findApiKeyByHash' | 'findApiKeyByClientId' | 'findApiKeyById' | 'getApiKey' | 'listApiKeys'
> {
  const find = async (
    column: 'hash' | 'previous_hash' | 'client_id' | 'id',
    value: string,
  ): Promise<ApiKey | null> => {
    const row = await connection.one<ApiKeyRow>(
      `select ${columns} from ${liveKeys} where k.${column} = ?`,
      value,
    )
    return row === undefined ? null : toApiKey(row)
  }
  return {
    findApiKeyByHash: async (hash) =>
      (await find('hash', hash)) ?? (await find('previous_hash', hash)),
    findApiKeyByClientId: (clientId) => find('client_id', clientId),
    findApiKeyById: (keyId) => find('id', keyId),

    async getApiKey(projectId, keyId) {
      const row = await connection.one<ApiKeyRow>(
        `select ${columns} from ${liveKeys} where k.project_id = ? and k.id = ?`,
        projectId,
        keyId,
      )
      return row === undefined ? null : toApiKey(row)
    },

    async listApiKeys(projectId, page) {
      return readSeqPage(
        connection,
        `select ${columns} from ${liveKeys}
         where k.project_id = ? and k.seq < ?
         order by k.seq desc
         limit ?`,
        [projectId],
        page,
        toApiKey,
      )
    },
  }
}

export function apiKeyWrites(
  connection: Connection,
  effects: Effects,
): Pick<Transaction, 'insertApiKey' | 'updateApiKey' | 'touchApiKeys'> {
  return {
    async insertApiKey(key) {
      await connection.write(
        `insert into api_keys (id, project_id, name, scopes, dialect, client_id, hint, hash,
           previous_hash, previous_expires_at, created_at, expires_at, revoked_at, last_used_at)
         values (:id, :projectId, :name, :scopes, :dialect, :clientId, :hint, :hash,
           :previousHash, :previousExpiresAt, :createdAt, :expiresAt, :revokedAt, :lastUsedAt)`,
        { ...key, scopes: JSON.stringify(key.scopes) },
      )
      effects.touch('apiKeyIds', key.id)
    },

    async updateApiKey(key) {
      await connection.run(
        `update api_keys
         set name = ?, hint = ?, hash = ?, previous_hash = ?, previous_expires_at = ?,
           expires_at = ?, revoked_at = ?
         where id = ?`,
        key.name,
        key.hint,
        key.hash,
        key.previousHash,
        key.previousExpiresAt,
        key.expiresAt,
        key.revokedAt,
        key.id,
      )
      effects.touch('apiKeyIds', key.id)
    },

    async touchApiKeys(uses) {
      await connection.run(
        `update api_keys k
         set last_used_at = greatest(k.last_used_at, u.at)
         from unnest(?::text[], ?::bigint[]) as u(id, at)
         where k.id = u.id`,
        uses.map(({ id }) => id),
        uses.map(({ at }) => at),
      )
    },
  }
}
