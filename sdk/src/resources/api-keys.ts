import { toCamelCase } from '../camel-case.ts'
import { createList, type List } from '../list.ts'
import type {
  ApiKey,
  CreateApiKey,
  CreateClientCredentials,
  CreatedApiKey,
  CreatedClientCredentials,
  ListQuery,
  RotateApiKey,
} from '../resources.ts'
import type { PostOptions, RequestOptions, Transport } from '../transport.ts'

/**
 * The API keys of a project.
 *
 * @example
 * const apiKeys: ApiKeys = client.apiKeys
 */
export class ApiKeys {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Creates a key. Its value is in this answer only.
   * @example
   * const { key } = await client.apiKeys.create(project, { name: 'publisher', scopes: ['events.write'] })
   */
  create(project: string, input: CreateApiKey, options?: PostOptions): Promise<CreatedApiKey>
  /**
   * Creates the client credentials of a client of Dinie. The secret is in this answer only.
   * @example
   * const { clientId, clientSecret } = await client.apiKeys.create(project, { name: 'app', dialect: 'dinie' })
   */
  create(
    project: string,
    input: CreateClientCredentials,
    options?: PostOptions,
  ): Promise<CreatedClientCredentials>
  async create(
    project: string,
    input: CreateApiKey | CreateClientCredentials,
    options?: PostOptions,
  ): Promise<CreatedApiKey | CreatedClientCredentials> {
    const path = ['projects', project, 'api-keys']
    const call = { method: 'POST', path, body: input, options } as const
    return toCamelCase(await this.#transport.send(call))
  }

  /**
   * Lists keys without their values, newest first.
   * @example
   * for await (const { name, lastUsedAt } of client.apiKeys.list(project)) console.log(name, lastUsedAt)
   */
  list(project: string, query?: ListQuery, options?: RequestOptions): List<ApiKey> {
    return createList<ApiKey>({
      transport: this.#transport,
      path: ['projects', project, 'api-keys'],
      query,
      options,
    })
  }

  /**
   * Gives a key a new value, under the same id and scopes. The earlier value works for another
   * `expireCurrentIn` seconds, a day where absent; 0 stops it now.
   * @throws ApiError `api_key_not_live` for a key that has expired or was revoked.
   * @example
   * const rotated = await client.apiKeys.rotate(project, 'key_018f…', { expireCurrentIn: 3600 })
   * const value = 'key' in rotated ? rotated.key : rotated.clientSecret
   */
  async rotate(
    project: string,
    key: string,
    input: RotateApiKey = {},
    options?: PostOptions,
  ): Promise<CreatedApiKey | CreatedClientCredentials> {
    const path = ['projects', project, 'api-keys', key, 'rotate']
    const call = { method: 'POST', path, body: input, options } as const
    return toCamelCase(await this.#transport.send(call))
  }

  /**
   * Revokes a key: no node of the server takes it any more.
   * @example
   * await client.apiKeys.revoke(project, 'key_018f…')
   */
  async revoke(project: string, key: string, options?: RequestOptions): Promise<void> {
    const path = ['projects', project, 'api-keys', key]
    await this.#transport.send({ method: 'DELETE', path, options })
  }
}
