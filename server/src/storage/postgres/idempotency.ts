import {
  type IdempotentAnswer,
  type Reads,
  StorageConflictError,
  type Transaction,
} from '../storage.ts'
import type { Connection } from './connection.ts'

interface IdempotentAnswerRow {
  body_hash: string
  status_code: number
  content_type: string
  headers: string
  body: Uint8Array
  is_sealed: boolean
  created_at: number
  expires_at: number
}

export function idempotencyReads(connection: Connection): Pick<Reads, 'findIdempotentAnswer'> {
  return {
    async findIdempotentAnswer(scope, now) {
      const row = await connection.one<IdempotentAnswerRow>(
        `select body_hash, status_code, content_type, headers, body, is_sealed, created_at,
           expires_at
         from idempotent_answers
         where scope = ? and expires_at > ?`,
        scope,
        now,
      )
      return row === undefined ? null : toIdempotentAnswer(row)
    },
  }
}

export function idempotencyWrites(
  connection: Connection,
): Pick<Transaction, 'insertIdempotentAnswer' | 'deleteExpiredIdempotentAnswers'> {
  return {
    async insertIdempotentAnswer(scope, answer) {
      // An answer that has expired and was not removed yet makes room.
      const written = await connection.write(
        `insert into idempotent_answers (scope, body_hash, status_code, content_type, headers,
           body, is_sealed, created_at, expires_at)
         values (:scope, :bodyHash, :statusCode, :contentType, :headers,
           :body, :isSealed, :createdAt, :expiresAt)
         on conflict (scope) do update
         set body_hash = excluded.body_hash, status_code = excluded.status_code,
           content_type = excluded.content_type, headers = excluded.headers,
           body = excluded.body, is_sealed = excluded.is_sealed,
           created_at = excluded.created_at, expires_at = excluded.expires_at
         where idempotent_answers.expires_at <= excluded.created_at`,
        {
          ...answer,
          scope,
          headers: JSON.stringify(answer.headers),
        },
      )
      if (written === 0) throw new StorageConflictError('idempotency_key')
    },

    async deleteExpiredIdempotentAnswers(now, limit) {
      return await connection.run(
        `delete from idempotent_answers
         where scope in (
           select scope from idempotent_answers where expires_at <= ? order by expires_at limit ?
         )`,
        now,
        limit,
      )
    },
  }
}

function toIdempotentAnswer(row: IdempotentAnswerRow): IdempotentAnswer {
  return {
    bodyHash: row.body_hash,
    statusCode: row.status_code,
    contentType: row.content_type,
    headers: JSON.parse(row.headers) as Record<string, string>,
    body: row.body,
    isSealed: row.is_sealed,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}
