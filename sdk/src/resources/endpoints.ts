import { toCamelCase } from '../camel-case.ts'
import { createList, type List } from '../list.ts'
import type {
  CreatedEndpoint,
  CreatedKeyEndpoint,
  CreateEndpoint,
  CreateKeyEndpoint,
  Drill,
  Endpoint,
  EndpointStats,
  GetEndpointStatsQuery,
  KeySet,
  ListEndpointsQuery,
  ListQuery,
  RecoverEndpoint,
  Recovery,
  RevokedPreviousSecret,
  RevokePreviousSecret,
  RotateByClaimLink,
  RotatedByClaimLink,
  RotatedKey,
  RotatedSecret,
  RotateKey,
  RotateSecret,
  Secret,
  TestEndpoint,
  TestResult,
  UpdateEndpoint,
} from '../resources.ts'
import type { PostOptions, RequestOptions, Transport } from '../transport.ts'

/**
 * The URLs that receive a project's events, and the secrets that sign what they get.
 *
 * @example
 * const endpoints: Endpoints = client.endpoints
 */
export class Endpoints {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Creates an endpoint that signs with Ed25519. Its public key is in this answer and in its key set.
   * @example
   * const { publicKey, keySetUrl } = await client.endpoints.create(project, {
   *   url: 'https://example.com/webhooks',
   *   algorithm: 'ed25519',
   * })
   */
  create(
    project: string,
    input: CreateKeyEndpoint,
    options?: PostOptions,
  ): Promise<CreatedKeyEndpoint>
  /**
   * Creates an endpoint. Its secret is in this answer only.
   * @example
   * const { id, secret } = await client.endpoints.create(project, {
   *   url: 'https://example.com/webhooks',
   *   eventTypes: ['order.*'],
   * })
   */
  create(project: string, input: CreateEndpoint, options?: PostOptions): Promise<CreatedEndpoint>
  async create(
    project: string,
    input: CreateEndpoint | CreateKeyEndpoint,
    options?: PostOptions,
  ): Promise<CreatedEndpoint | CreatedKeyEndpoint> {
    const path = ['projects', project, 'endpoints']
    const call = { method: 'POST', path, body: input, options } as const
    return toCamelCase(await this.#transport.send(call))
  }

  /**
   * Lists endpoints, newest first.
   * @example
   * for await (const { url } of client.endpoints.list(project, { health: 'failing' })) console.log(url)
   */
  list(project: string, query?: ListEndpointsQuery, options?: RequestOptions): List<Endpoint> {
    return createList<Endpoint>({
      transport: this.#transport,
      path: ['projects', project, 'endpoints'],
      query,
      options,
    })
  }

  /**
   * Reads one endpoint by its id or uid.
   * @example
   * const { health, rotation } = await client.endpoints.get(project, endpoint)
   */
  async get(project: string, endpoint: string, options?: RequestOptions): Promise<Endpoint> {
    const path = ['projects', project, 'endpoints', endpoint]
    return toCamelCase(await this.#transport.send({ method: 'GET', path, options }))
  }

  /**
   * Changes the fields that are given. The secret and its algorithm change by `rotateSecret`.
   * @example
   * await client.endpoints.update(project, endpoint, { state: 'active' })
   */
  async update(
    project: string,
    endpoint: string,
    changes: UpdateEndpoint,
    options?: RequestOptions,
  ): Promise<Endpoint> {
    const path = ['projects', project, 'endpoints', endpoint]
    const call = { method: 'PATCH', path, body: changes, options } as const
    return toCamelCase(await this.#transport.send(call))
  }

  /**
   * Deletes an endpoint. Its deliveries that are under way fail as `endpoint_deleted`.
   * @example
   * await client.endpoints.delete(project, endpoint)
   */
  async delete(project: string, endpoint: string, options?: RequestOptions): Promise<void> {
    const path = ['projects', project, 'endpoints', endpoint]
    await this.#transport.send({ method: 'DELETE', path, options })
  }

  /**
   * Replaces the key of an endpoint that signs with Ed25519, or changes one to Ed25519. Receivers
   * that follow the key set need to do nothing. Name the algorithm also where it stays.
   * @example
   * const { publicKey } = await client.endpoints.rotateSecret(project, endpoint, { algorithm: 'ed25519' })
   */
  rotateSecret(
    project: string,
    endpoint: string,
    input: RotateKey,
    options?: PostOptions,
  ): Promise<RotatedKey>
  /**
   * Replaces the signing secret and answers a link to it. Whoever opens the link sees the secret,
   * once, and only then the overlap begins.
   * @example
   * const { claimUrl } = await client.endpoints.rotateSecret(project, endpoint, { deliver: 'claim_link' })
   */
  rotateSecret(
    project: string,
    endpoint: string,
    input: RotateByClaimLink,
    options?: PostOptions,
  ): Promise<RotatedByClaimLink>
  /**
   * Replaces the signing secret. Both secrets sign every delivery until the window ends, a day
   * from now where `expireCurrentIn` (seconds) says nothing else; 0 cuts the previous one now.
   * The new secret is in this answer, and in that of a retry under the same `idempotencyKey`.
   *
   * @throws ApiError `rotation_in_progress` while another rotation is open, its id being in
   *   `extensions.rotationId`; `secret_changed` where `expectedCurrentSecretId` is not current.
   * @example
   * const { secret, previousSecretExpiresAt } = await client.endpoints.rotateSecret(
   *   project,
   *   endpoint,
   *   { expireCurrentIn: 3600, reason: 'quarterly' },
   * )
   */
  rotateSecret(
    project: string,
    endpoint: string,
    input?: RotateSecret,
    options?: PostOptions,
  ): Promise<RotatedSecret>
  async rotateSecret(
    project: string,
    endpoint: string,
    input: RotateSecret | RotateKey | RotateByClaimLink = {},
    options?: PostOptions,
  ): Promise<RotatedSecret | RotatedKey | RotatedByClaimLink> {
    const path = ['projects', project, 'endpoints', endpoint, 'secret', 'rotate']
    const call = { method: 'POST', path, body: input, options } as const
    return toCamelCase(await this.#transport.send(call))
  }

  /**
   * Stops every retiring secret now and completes the open rotation.
   * @example
   * const { revokedSecretIds } = await client.endpoints.revokePreviousSecret(project, endpoint)
   */
  async revokePreviousSecret(
    project: string,
    endpoint: string,
    input: RevokePreviousSecret = {},
    options?: PostOptions,
  ): Promise<RevokedPreviousSecret> {
    const path = ['projects', project, 'endpoints', endpoint, 'secret', 'revoke-previous']
    const call = { method: 'POST', path, body: input, options } as const
    return toCamelCase(await this.#transport.send(call))
  }

  /**
   * Lists every version of the secret, without values, newest first.
   * @example
   * for await (const { hint, status } of client.endpoints.listSecrets(project, endpoint)) {
   *   console.log(`…${hint} is ${status}`)
   * }
   */
  listSecrets(
    project: string,
    endpoint: string,
    query?: ListQuery,
    options?: RequestOptions,
  ): List<Secret> {
    return createList<Secret>({
      transport: this.#transport,
      path: ['projects', project, 'endpoints', endpoint, 'secrets'],
      query,
      options,
    })
  }

  /**
   * Sends one test delivery and waits for the receiver's answer, whatever the endpoint's filter
   * and state. A receiver that fails is a result, not an error.
   * @example
   * const { success, statusCode } = await client.endpoints.test(project, endpoint)
   */
  async test(
    project: string,
    endpoint: string,
    input: TestEndpoint = {},
    options?: PostOptions,
  ): Promise<TestResult> {
    const path = ['projects', project, 'endpoints', endpoint, 'test']
    const call = { method: 'POST', path, body: input, options } as const
    return toCamelCase(await this.#transport.send(call))
  }
  /**
   * Sends again what the endpoint missed in a span of time: failed and skipped deliveries become
   * pending, with the full retry schedule. Of many the rest follows in small steps.
   * @throws ApiError `endpoint_disabled` while the endpoint is disabled.
   * @example
   * const since = new Date(Date.now() - 86_400_000)
   * const { deliveryCount } = await client.endpoints.recover(project, endpoint, { since })
   */
  async recover(
    project: string,
    endpoint: string,
    input: RecoverEndpoint,
    options?: PostOptions,
  ): Promise<Recovery> {
    const path = ['projects', project, 'endpoints', endpoint, 'recover']
    const call = { method: 'POST', path, body: input, options } as const
    return toCamelCase(await this.#transport.send(call))
  }

  /**
   * Counts what became of the endpoint's deliveries, and how long they took. `bucket` is a
   * duration such as `1h`; without it there are no buckets.
   * @example
   * const { successRate, durationMs } = await client.endpoints.stats(project, endpoint, { bucket: '1h' })
   * console.log(successRate, durationMs?.p95)
   */
  async stats(
    project: string,
    endpoint: string,
    query?: GetEndpointStatsQuery,
    options?: RequestOptions,
  ): Promise<EndpointStats> {
    const path = ['projects', project, 'endpoints', endpoint, 'stats']
    return toCamelCase(await this.#transport.send({ method: 'GET', path, query, options }))
  }

  /**
   * Tries whether the receiver verifies signatures: sends it good, bad and stale ones. A receiver
   * that takes a wrong one twice is flagged as `unverifying`.
   * @throws ApiError `not_verifiable` where the endpoint's format has no probe;
   *   `rate_limit_exceeded` where too many probes were sent within a minute.
   * @example
   * const { verdict, probes } = await client.endpoints.drill(project, endpoint)
   */
  async drill(project: string, endpoint: string, options?: PostOptions): Promise<Drill> {
    const path = ['projects', project, 'endpoints', endpoint, 'drill']
    return toCamelCase(await this.#transport.send({ method: 'POST', path, options }))
  }
  /**
   * Reads the public keys of an endpoint that signs with Ed25519, as its receivers do.
   * @throws ApiError `not_found` for any other endpoint.
   * @example
   * const keySet = await client.endpoints.keySet('ep_018f…')
   * const event = await verifyWebhook(body, headers, keySet)
   */
  async keySet(endpoint: string, options?: RequestOptions): Promise<KeySet> {
    const path = ['.well-known', 'webhooks', endpoint, 'keys.json']
    const call = { method: 'GET', path, isUnversioned: true, options } as const
    return toCamelCase(await this.#transport.send(call))
  }
}
