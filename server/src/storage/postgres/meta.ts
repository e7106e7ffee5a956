import type { Reads, Transaction } from '../storage.ts'
import type { Connection } from './connection.ts'

export function metaReads(connection: Connection): Pick<Reads, 'getMeta'> {
  return {
    async getMeta(key) {
      const row = await connection.one<{ value: Uint8Array }>(
        'select value from meta where key = ?',
        key,
      )
      return row?.value ?? null
    },
  }
}

export function metaWrites(connection: Connection): Pick<Transaction, 'setMeta'> {
  return {
    async setMeta(key, value) {
      await connection.run(
        `insert into meta (key, value) values (?, ?)
         on conflict (key) do update set value = excluded.value`,
        key,
        value,
      )
    },
  }
}
