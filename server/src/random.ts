import { randomFillSync } from 'node:crypto'

/** The only source of randomness. */
export interface Random {
  /** Cryptographically strong bytes. */
  bytes(size: number): Uint8Array
  /** A number in [0, 1): for jitter, never for secrets. */
  fraction(): number
}

export function createRandom(): Random {
  return {
    bytes: (size) => randomFillSync(new Uint8Array(size)),
    fraction: () => Math.random(),
  }
}
