import { toCamelCase } from '../camel-case.ts'
import { createList, type List } from '../list.ts'
import type {
  EndRotation,
  ListQuery,
  ReissuedClaimLink,
  Rotation,
  UpdateRotation,
} from '../resources.ts'
import type { PostOptions, RequestOptions, Transport } from '../transport.ts'

/**
 * The rotations of an endpoint's secret; `endpoints.rotateSecret` begins one.
 *
 * @example
 * const rotations: Rotations = client.rotations
 */
export class Rotations {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Lists rotations, newest first.
   * @example
   * const { data: [latest] } = await client.rotations.list(project, endpoint, { limit: 1 }).page()
   */
  list(
    project: string,
    endpoint: string,
    query?: ListQuery,
    options?: RequestOptions,
  ): List<Rotation> {
    return createList<Rotation>({
      transport: this.#transport,
      path: rotationPath(project, endpoint),
      query,
      options,
    })
  }

  /**
   * Reads one rotation.
   * @example
   * const { status, timeline } = await client.rotations.get(project, endpoint, rotation)
   */
  async get(
    project: string,
    endpoint: string,
    rotation: string,
    options?: RequestOptions,
  ): Promise<Rotation> {
    const path = rotationPath(project, endpoint, rotation)
    return toCamelCase(await this.#transport.send({ method: 'GET', path, options }))
  }

  /**
   * Extends or shortens an open rotation's window, or changes what completes it. What has
   * expired is never revived. `expireCurrentIn` is in seconds: from now for an overlapping
   * rotation, from activation for a staged one.
   * @example
   * await client.rotations.update(project, endpoint, rotation, { expireCurrentIn: 7 * 86_400 })
   */
  async update(
    project: string,
    endpoint: string,
    rotation: string,
    changes: UpdateRotation,
    options?: RequestOptions,
  ): Promise<Rotation> {
    const path = rotationPath(project, endpoint, rotation)
    const call = { method: 'PATCH', path, body: changes, options } as const
    return toCamelCase(await this.#transport.send(call))
  }

  /**
   * Lets the receiver prove which secrets it takes, by up to eight probes. Proof completes a
   * rotation that waits for it (`completeWhen: 'verified'`).
   * @throws ApiError `not_verifiable` where the endpoint's format has no probe;
   *   `rate_limit_exceeded` where too many probes were sent within a minute.
   * @example
   * const { evidence } = await client.rotations.verify(project, endpoint, rotation)
   */
  async verify(
    project: string,
    endpoint: string,
    rotation: string,
    options?: PostOptions,
  ): Promise<Rotation> {
    const path = rotationPath(project, endpoint, rotation, 'verify')
    return toCamelCase(await this.#transport.send({ method: 'POST', path, options }))
  }

  /**
   * Retires the previous secrets now.
   * @example
   * await client.rotations.complete(project, endpoint, rotation, { reason: 'deployed everywhere' })
   */
  async complete(
    project: string,
    endpoint: string,
    rotation: string,
    input: EndRotation = {},
    options?: PostOptions,
  ): Promise<Rotation> {
    const path = rotationPath(project, endpoint, rotation, 'complete')
    const call = { method: 'POST', path, body: input, options } as const
    return toCamelCase(await this.#transport.send(call))
  }

  /**
   * Rolls back: revokes the new secret and makes the previous one current again.
   * @example
   * await client.rotations.cancel(project, endpoint, rotation, { reason: 'wrong endpoint' })
   */
  async cancel(
    project: string,
    endpoint: string,
    rotation: string,
    input: EndRotation = {},
    options?: PostOptions,
  ): Promise<Rotation> {
    const path = rotationPath(project, endpoint, rotation, 'cancel')
    const call = { method: 'POST', path, body: input, options } as const
    return toCamelCase(await this.#transport.send(call))
  }

  /**
   * Makes a new claim link to a secret that was not claimed; the earlier link no longer works.
   * @example
   * const { claimUrl } = await client.rotations.reissueClaimLink(project, endpoint, rotation)
   */
  async reissueClaimLink(
    project: string,
    endpoint: string,
    rotation: string,
    options?: PostOptions,
  ): Promise<ReissuedClaimLink> {
    const path = rotationPath(project, endpoint, rotation, 'claim-link')
    return toCamelCase(await this.#transport.send({ method: 'POST', path, options }))
  }
}

function rotationPath(project: string, endpoint: string, ...rest: string[]): string[] {
  return ['projects', project, 'endpoints', endpoint, 'rotations', ...rest]
}
