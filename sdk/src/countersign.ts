import { ApiKeys } from './resources/api-keys.ts'
import { AuditLog } from './resources/audit-log.ts'
import { Campaigns } from './resources/campaigns.ts'
import { Catalog } from './resources/catalog.ts'
import { Claims } from './resources/claims.ts'
import { Deliveries } from './resources/deliveries.ts'
import { Endpoints } from './resources/endpoints.ts'
import { EventTypes } from './resources/event-types.ts'
import { Events } from './resources/events.ts'
import { Fleet } from './resources/fleet.ts'
import { PortalSessions } from './resources/portal-sessions.ts'
import { Projects } from './resources/projects.ts'
import { Rotations } from './resources/rotations.ts'
import { Server } from './resources/server.ts'
import { Stream } from './resources/stream.ts'
import { createTransport, type Fetch, requireCount, requireTimeout } from './transport.ts'
import { waitFor } from './wait-for.ts'

/** Longest wait for one try's complete answer where nothing else is said. */
const timeoutDefaultMs = 30_000
/** Retries after the first try where nothing else is said. */
const retriesDefaultMax = 2

/**
 * How to reach a server.
 *
 * @example
 * const options: CountersignOptions = {
 *   baseUrl: 'https://webhooks.example.com',
 *   apiKey: 'csk_…',
 *   timeoutMs: 10_000,
 * }
 */
export interface CountersignOptions {
  /** Where the server is; `COUNTERSIGN_URL` where absent. A path in it is kept. */
  baseUrl?: string | undefined
  /** Root key or project key; `COUNTERSIGN_API_KEY` where absent. */
  apiKey?: string | undefined
  /** Takes the place of the global `fetch`. It must honour `signal`. */
  fetch?: Fetch | undefined
  /** Longest wait for one try's complete answer, in milliseconds. Default 30 000. */
  timeoutMs?: number | undefined
  /**
   * Retries after the first try, on connection errors, timeouts, 408, 429 and 5xx. Default 2. A
   * POST carries the same Idempotency-Key in all of them, so nothing happens twice.
   */
  retriesMax?: number | undefined
}

/**
 * The client of a Countersign server.
 *
 * @throws TypeError (constructor) where an option is missing or cannot be right; the message
 *   never repeats the key.
 * @example
 * const client = new Countersign({ baseUrl: 'http://127.0.0.1:8080', apiKey: 'csk_…' })
 * const { secret } = await client.endpoints.rotateSecret(project, endpoint, { expireCurrentIn: 3600 })
 */
export class Countersign {
  readonly projects: Projects
  readonly apiKeys: ApiKeys
  readonly portalSessions: PortalSessions
  readonly catalog: Catalog
  readonly eventTypes: EventTypes
  readonly endpoints: Endpoints
  readonly rotations: Rotations
  readonly claims: Claims
  readonly fleet: Fleet
  readonly campaigns: Campaigns
  readonly events: Events
  readonly deliveries: Deliveries
  readonly auditLog: AuditLog
  readonly stream: Stream
  readonly server: Server

  constructor(options: CountersignOptions = {}) {
    const { timeoutMs = timeoutDefaultMs, retriesMax = retriesDefaultMax } = options
    requireTimeout('timeoutMs', timeoutMs)
    requireCount('retriesMax', retriesMax)
    // The key lives in this closure only, so printing or serialising the client cannot show it.
    const transport = createTransport({
      baseUrl: readBaseUrl(options.baseUrl ?? readVariable('COUNTERSIGN_URL')),
      apiKey: readApiKey(options.apiKey ?? readVariable('COUNTERSIGN_API_KEY')),
      // Called through a function of ours: some runtimes refuse a `fetch` without its global.
      fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
      timeoutMs,
      retriesMax,
      wait: waitFor,
      random: Math.random,
    })
    this.projects = new Projects(transport)
    this.apiKeys = new ApiKeys(transport)
    this.portalSessions = new PortalSessions(transport)
    this.catalog = new Catalog(transport)
    this.eventTypes = new EventTypes(transport)
    this.endpoints = new Endpoints(transport)
    this.rotations = new Rotations(transport)
    this.claims = new Claims(transport)
    this.fleet = new Fleet(transport)
    this.campaigns = new Campaigns(transport)
    this.events = new Events(transport)
    this.deliveries = new Deliveries(transport)
    this.auditLog = new AuditLog(transport)
    this.stream = new Stream(transport)
    this.server = new Server(transport)
  }
}

function readBaseUrl(text: string | undefined): string {
  if (!text) throw new TypeError('baseUrl is missing: pass it, or set COUNTERSIGN_URL')
  const url = parseUrl(text)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new TypeError('baseUrl must be an absolute http or https URL')
  }
  // fetch would refuse it with an error that repeats the password.
  if (url.username || url.password) throw new TypeError('baseUrl must not hold credentials')
  if (url.search || url.hash) throw new TypeError('baseUrl must not have a query or a fragment')
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`
}

function parseUrl(text: string): URL | null {
  try {
    return new URL(text)
  } catch {
    return null
  }
}

function readApiKey(text: string | undefined): string {
  const key = text?.trim()
  if (!key) throw new TypeError('apiKey is missing: pass it, or set COUNTERSIGN_API_KEY')
  // fetch would refuse it with an error that repeats the header.
  if (!/^[\x21-\x7e]+$/.test(key)) throw new TypeError('apiKey holds characters that no key has')
  return key
}

/** Reads an environment variable where the runtime has them and lets us. */
function readVariable(name: string): string | undefined {
  const runtime = globalThis as { process?: { env?: Record<string, string | undefined> } }
  try {
    return runtime.process?.env?.[name]
  } catch {
    // Deno throws where the program may not read its environment.
    return undefined
  }
}
