import { toCamelCase } from '../camel-case.ts'
import type { Status } from '../resources.ts'
import type { RequestOptions, Transport } from '../transport.ts'

/**
 * The server itself.
 *
 * @example
 * const server: Server = client.server
 */
export class Server {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Asks whether the process is alive. Tried once, unless `retriesMax` says more.
   * @example
   * const { status } = await client.server.checkHealth({ timeoutMs: 1_000 })
   */
  async checkHealth(options?: RequestOptions): Promise<Status> {
    return toCamelCase(await askOnce(this.#transport, 'healthz', options))
  }

  /**
   * Asks whether requests can be served: the store is there and its migrations are current. Tried
   * once, unless `retriesMax` says more.
   * @throws ApiError `storage_unavailable` where they cannot.
   * @example
   * const { status } = await client.server.checkReadiness({ timeoutMs: 1_000 })
   */
  async checkReadiness(options?: RequestOptions): Promise<Status> {
    return toCamelCase(await askOnce(this.#transport, 'readyz', options))
  }

  /**
   * Reads the metrics, in the text format of Prometheus. Needs the root key.
   * @example
   * const text = await client.server.readMetrics()
   */
  readMetrics(options?: RequestOptions): Promise<string> {
    const call = { method: 'GET', path: ['metrics'], isUnversioned: true, isText: true } as const
    return this.#transport.send<string>({ ...call, options })
  }

  /**
   * Reads the OpenAPI document of the server, as it is.
   * @example
   * const document = await client.server.readOpenApi()
   */
  readOpenApi(options?: RequestOptions): Promise<unknown> {
    const call = { method: 'GET', path: ['openapi.json'], isUnversioned: true } as const
    return this.#transport.send({ ...call, options })
  }
}

/** A check that is tried again until it holds would not be one. */
function askOnce(transport: Transport, path: string, options: RequestOptions | undefined) {
  const once = { retriesMax: 0, ...options }
  return transport.send({ method: 'GET', path: [path], isUnversioned: true, options: once })
}
