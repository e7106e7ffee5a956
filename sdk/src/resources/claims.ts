import { toCamelCase } from '../camel-case.ts'
import type { ClaimedSecret, DisputedClaim } from '../resources.ts'
import type { PostOptions, Transport } from '../transport.ts'

/**
 * The other end of a claim link. The token, which stands behind `#` in the link, is all that it
 * takes: the client's key is not looked at.
 *
 * @example
 * const claims: Claims = client.claims
 */
export class Claims {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Claims the secret. It is in this answer only, and the overlap begins.
   * @example
   * const { secret, previousSecretExpiresAt } = await client.claims.claim('clm_…')
   */
  async claim(token: string, options?: PostOptions): Promise<ClaimedSecret> {
    const call = { method: 'POST', path: ['claims'], body: { token }, options } as const
    return toCamelCase(await this.#transport.send(call))
  }

  /**
   * Says that it was somebody else who claimed the secret.
   * @example
   * const { claimedAt } = await client.claims.dispute('clm_…')
   */
  async dispute(token: string, options?: PostOptions): Promise<DisputedClaim> {
    const call = { method: 'POST', path: ['claims', 'dispute'], body: { token }, options } as const
    return toCamelCase(await this.#transport.send(call))
  }
}
