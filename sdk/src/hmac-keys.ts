import type { Bytes } from './webhook-format.ts'

/** A key as Web Crypto holds it; not every set of types has the name `CryptoKey`. */
export type HmacKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

export interface HmacKeys {
  /**
   * The imported HMAC-SHA256 key of a secret.
   * @param secret what the key is remembered by; different formats need different names.
   * @param keyBytes called where the key is not remembered.
   */
  get(secret: string, keyBytes: () => Bytes): Promise<HmacKey>
}

/** Remembers imported keys, since the import costs more than a signature; drops the oldest. */
export function createHmacKeys({ keysMax }: { keysMax: number }): HmacKeys {
  const keys = new Map<string, Promise<HmacKey>>()
  return {
    get(secret, keyBytes) {
      const known = keys.get(secret)
      if (known !== undefined) return known
      const imported = importHmacKey(keyBytes())
      const oldest = keys.keys().next().value
      if (keys.size >= keysMax && oldest !== undefined) keys.delete(oldest)
      keys.set(secret, imported)
      // A failed import must not be remembered; whoever asked gets its error.
      imported.catch(() => keys.delete(secret))
      return imported
    },
  }
}

function importHmacKey(bytes: Bytes): Promise<HmacKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  return crypto.subtle.importKey('raw', bytes, algorithm, false, ['sign'])
}
