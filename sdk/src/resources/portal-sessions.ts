import { toCamelCase } from '../camel-case.ts'
import type { CreatePortalSession, PortalSession } from '../resources.ts'
import type { PostOptions, RequestOptions, Transport } from '../transport.ts'

/**
 * Tokens with which a customer's engineer works in one project for a while.
 *
 * @example
 * const portalSessions: PortalSessions = client.portalSessions
 */
export class PortalSessions {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Opens a session. Its token is in this answer only, and is used as an `apiKey`.
   * @example
   * const { token } = await client.portalSessions.create(project, {
   *   scopes: ['webhooks.read', 'secrets.rotate'],
   *   actor: 'jo@customer.example',
   * })
   */
  async create(
    project: string,
    input: CreatePortalSession,
    options?: PostOptions,
  ): Promise<PortalSession> {
    const path = ['projects', project, 'portal-sessions']
    const call = { method: 'POST', path, body: input, options } as const
    return toCamelCase(await this.#transport.send(call))
  }

  /**
   * Ends a session: its token stops at once.
   * @example
   * await client.portalSessions.revoke(project, 'pts_018f…')
   */
  async revoke(project: string, session: string, options?: RequestOptions): Promise<void> {
    const path = ['projects', project, 'portal-sessions', session]
    await this.#transport.send({ method: 'DELETE', path, options })
  }
}
