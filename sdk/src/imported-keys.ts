import type { Bytes } from './webhook-format.ts'

/** A key as Web Crypto holds it; not every set of types has the name `CryptoKey`. */
export type ImportedKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

export interface ImportedKeys {
  /**
   * The imported key of a secret: HMAC-SHA256 to sign with, or Ed25519 to verify with.
   * @param name what the key is remembered by; no two keys may share one.
   * @param keyBytes called where the key is not remembered.
   */
  get(name: string, algorithm: KeyAlgorithm, keyBytes: () => Bytes): Promise<ImportedKey>
}

export type KeyAlgorithm = 'HMAC' | 'Ed25519'

/** Remembers imported keys, since the import costs more than a signature; drops the oldest. */
export function createImportedKeys({ keysMax }: { keysMax: number }): ImportedKeys {
  const keys = new Map<string, Promise<ImportedKey>>()
  return {
    get(name, algorithm, keyBytes) {
      const known = keys.get(name)
      if (known !== undefined) return known
      const imported = importKey(algorithm, keyBytes())
      const oldest = keys.keys().next().value
      if (keys.size >= keysMax && oldest !== undefined) keys.delete(oldest)
      keys.set(name, imported)
      // A failed import must not be remembered; whoever asked gets its error.
      imported.catch(() => keys.delete(name))
      return imported
    },
  }
}

function importKey(algorithm: KeyAlgorithm, bytes: Bytes): Promise<ImportedKey> {
  return algorithm === 'HMAC'
    ? crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
    : crypto.subtle.importKey('raw', bytes, { name: 'Ed25519' }, false, ['verify'])
}
