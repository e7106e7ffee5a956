import { addressRules, createParts } from './action-parts.ts'
import type { ActionContext, ActionParts } from './actions/action-context.ts'
import { settleEndpointHealth } from './actions/settle-endpoint-health.ts'
import { type Api, createApi } from './api/server.ts'
import { createClock, type SystemClock } from './clock.ts'
import type { Config } from './config.ts'
import { systemPrincipal } from './core/authorization.ts'
import type { Clock } from './core/clock.ts'
import { createIdFactory } from './core/ids.ts'
import { limits } from './core/limits.ts'
import type { SecretBox } from './core/secret-box.ts'
import { makeDataDirectory } from './data-directory.ts'
import { dialectApis } from './dialects/registry.ts'
import { createDispatcher, type Dispatcher } from './dispatcher/dispatcher.ts'
import { startSenderThread } from './dispatcher/sender-link.ts'
import { createEventSchemaChecker } from './event-schema-checker.ts'
import { createJobs, type Jobs } from './jobs.ts'
import { loadOrCreateRootKeys } from './key-files.ts'
import { createLead } from './lead.ts'
import { assertFree, listenForMetrics, listening } from './listening.ts'
import type { Logger } from './logger.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { openSecretBox } from './open-secret-box.ts'
import { createOutageLog } from './outage-log.ts'
import { createRandom } from './random.ts'
import { StartError } from './start-error.ts'
import { openSqliteStorage } from './storage/sqlite/open.ts'
import { type Storage, StorageOpenError, StorageUnavailableError } from './storage/storage.ts'
import { storeDrift } from './store-clock.ts'
import { storeFile, storeName } from './store-file.ts'
import { version } from './version.ts'
import { waitForStore } from './wait-for-store.ts'

export interface AppOptions {
  config: Config
  logger: Logger
  /** Tests move it; the process's own by default. */
  clock?: SystemClock
  /** Ends a start that waits for the store. */
  stopSignal?: AbortSignal
  /** Tests move it; the store's own by default. For PostgreSQL alone. */
  storeTime?: () => number
  /** Tests wrap it, to make it fail. */
  wrapStorage?: (storage: Storage) => Storage
  /** Directory of the console's static files; null: none are served. */
  consoleDirectory?: string | null
}

/** The running server. */
export interface App {
  /** Where the API answers, without a trailing slash. */
  readonly url: string
  /** Where metrics answer without a key; null where that port is closed. */
  readonly metricsUrl: string | null
  readonly rootKeys: readonly string[]
  /** The file that holds the root key; null where the configuration holds it. */
  readonly rootKeyFile: string | null
  /** True where this start made the root key. */
  readonly isRootKeyNew: boolean
  /** Resolves when the server cannot go on; the process should end. */
  readonly failed: Promise<Error>
  /**
   * Stops accepting, finishes or gives back what is in flight within the deadline, closes. Requests
   * get at most half of it. May be called again.
   */
  stop(deadlineMs: number): Promise<void>
}

/**
 * The composition root: config → storage → dispatcher and API. Beside store-tools.ts the only file
 * that names an adapter.
 *
 * @throws StartError, one sentence for the operator; everything that was opened is closed again.
 */
export async function startApp(options: AppOptions): Promise<App> {
  const releases: (() => Promise<void>)[] = []
  const release = async () => {
    for (const close of releases.splice(0).reverse()) await close()
  }
  try {
    return await start(options, releases, release)
  } catch (error) {
    await release()
    throw asStartError(error, storeName(options.config))
  }
}

function asStartError(error: unknown, name: string): unknown {
  if (error instanceof StorageOpenError) return new StartError(error.message, { cause: error })
  if (!(error instanceof StorageUnavailableError)) return error
  // It opened and then failed at its first write: a disk that is nearly full, a lock.
  const sentence = error.message.replace('The store', `The store in ${name}`)
  return new StartError(sentence, { cause: error })
}

async function start(
  options: AppOptions,
  releases: (() => Promise<void>)[],
  release: () => Promise<void>,
): Promise<App> {
  const { config, logger } = options
  await assertPortsFree(config)
  const clock = options.clock ?? createClock()
  const metrics = createMetrics({ now: clock.now, secretMaxAgeDays: config.secretMaxAgeDays })
  releases.push(async () => metrics.stop())
  const base = await openBase(options, { clock, metrics, releases })
  const isDispatching = config.roles.includes('dispatch')
  metrics.watch(base.storage)
  const rootKeys = loadOrCreateRootKeys({ config, randomBytes: base.random.bytes })
  for (const warning of rootKeys.warnings) logger.warn(warning)
  const jobs = createJobs({
    ...base,
    ...jobSharing(base, isDispatching),
    context: () => delivery.systemContext(),
    warn: (facts, message) => logger.warn(facts, message),
    onClockJump: () => delivery.dispatcher.wake(),
  })
  const { wakeRecoveries } = jobs
  const delivery: Delivery = createDelivery({ config, base, metrics, releases, wakeRecoveries })
  const api = createApi({
    ...apiOptions(config),
    parts: delivery.parts,
    rootKeys: rootKeys.keys,
    logger,
    metrics,
    hasApi: config.roles.includes('api'),
    consoleDirectory: config.roles.includes('console') ? (options.consoleDirectory ?? null) : null,
  })
  base.opened.connect({
    ...(isDispatching ? { handOff: delivery.dispatcher.handOff } : {}),
    async onCommitted(changes) {
      metrics.deliveriesEnded(changes.endedCounts)
      api.forgetApiKeys(changes)
      delivery.parts.eventTypes.forget(changes)
      jobs.wakeFor(changes)
      await delivery.dispatcher.onCommitted(changes)
    },
  })

  // A thread that is still being loaded would need descriptors that connections may take meanwhile.
  await delivery.ready
  const url = await listening(config, () => api.listen(config))
  releases.push(() => api.close(0))
  const metricsDoor = await openMetricsDoor(config, metrics)
  if (metricsDoor !== null) releases.push(metricsDoor.close)
  // Nothing is sent, and no time-driven change is made, before the start has succeeded.
  delivery.dispatcher.start()
  await jobs.start()
  releases.push(jobs.stop)

  let stopping: Promise<void> | null = null
  return {
    url,
    metricsUrl: metricsDoor?.url ?? null,
    rootKeys: rootKeys.keys,
    rootKeyFile: rootKeys.file,
    isRootKeyNew: rootKeys.isNew,
    failed: delivery.failed,
    stop(deadlineMs) {
      stopping ??= stopInTime({ jobs, api, ...delivery, clock, deadlineMs }).then(release)
      return stopping
    },
  }
}

/** Ends what is under way, all of it within the deadline. */
async function stopInTime(options: {
  jobs: Jobs
  api: Api
  dispatcher: Dispatcher
  clock: Pick<Clock, 'monotonic'>
  deadlineMs: number
}): Promise<void> {
  const { jobs, api, dispatcher, clock } = options
  const endsAt = clock.monotonic() + options.deadlineMs
  const leftMs = () => Math.max(0, endsAt - clock.monotonic())
  await jobs.stop()
  // Half: a client that sends slowly must not take the time of the attempts in flight.
  await api.close(leftMs() / 2)
  await dispatcher.stop(leftMs())
}

/** Found out before anything is made, so that a start that cannot succeed changes nothing. */
async function assertPortsFree(config: Config): Promise<void> {
  const { host, port, metricsHost, metricsPort } = config
  await assertFree({ host, port })
  if (metricsPort !== null) await assertFree({ host: metricsHost, port: metricsPort })
}

/** The dispatcher with its sender thread, and the parts that every action is given. */
interface Delivery {
  dispatcher: Dispatcher
  parts: ActionParts
  /** For what the server does by itself. */
  systemContext: () => ActionContext
  /** Resolves when deliveries can be sent. */
  ready: Promise<void>
  failed: Promise<Error>
}

function createDelivery(options: {
  config: Config
  base: Base
  metrics: Metrics
  releases: (() => Promise<void>)[]
  wakeRecoveries: () => void
}): Delivery {
  const { config, base, metrics, releases } = options
  const sender = startSenderThread({
    clock: base.clock.shared,
    ...addressRules(config),
    slotsMax: config.concurrency,
    attemptTimeoutMs: config.attemptTimeoutMs,
    userAgent: `Countersign/${version}`,
  })
  releases.push(() => sender.end())
  const dispatcher = createDispatcher({
    ...base,
    sender,
    isClaiming: config.roles.includes('dispatch'),
    randomFraction: base.random.fraction,
    defaultRetryScheduleMs: config.retryScheduleMs,
    settleHealth: (tx, endpointId, outcomes) =>
      settleEndpointHealth(tx, systemContext(), endpointId, outcomes),
    onStored: metrics.attemptsStored,
  })
  const eventSchemas = createEventSchemaChecker({ monotonic: base.clock.monotonic })
  releases.push(() => eventSchemas.stop())
  const { wakeRecoveries } = options
  const parts = createParts({ config, base, metrics, dispatcher, eventSchemas, wakeRecoveries })
  const systemContext = (): ActionContext => ({
    ...parts,
    principal: systemPrincipal,
    requestId: null,
    sourceAddress: null,
    // What the server does by itself answers nobody.
    transact: (work) => base.storage.transact(work, { isUnanswered: true }),
    keepsAnswer: false,
  })
  const { ready, failed } = sender
  return { dispatcher, parts, systemContext, ready, failed }
}

async function openMetricsDoor(config: Config, metrics: Metrics) {
  const { metricsHost: host, metricsPort: port } = config
  return port === null ? null : listenForMetrics({ host, port }, metrics)
}

/** What everything else stands on. */
interface Base {
  clock: SystemClock
  random: ReturnType<typeof createRandom>
  newId: ReturnType<typeof createIdFactory>
  /** The adapter itself, and what the product sees of it. */
  opened: Storage
  storage: Storage
  secretBox: SecretBox
  logger: Logger
  onError: (message: string, error: unknown) => void
}

async function openBase(
  options: AppOptions,
  parts: { clock: SystemClock; metrics: Metrics; releases: (() => Promise<void>)[] },
): Promise<Base> {
  const { config, logger } = options
  const { clock, metrics, releases } = parts
  const onError = createOutageLog({
    log: (message, error) => logger.error({ err: error }, message),
    monotonic: clock.monotonic,
  })
  const random = createRandom()
  const newId = createIdFactory({ now: clock.now, randomBytes: random.bytes })
  const opened = await openStore(options, {
    clock,
    newId,
    leaseMs: config.attemptTimeoutMs + limits.leaseMarginMs,
    observeCommit: metrics.committed,
    onError,
  })
  releases.push(() => opened.close())
  if (opened.cluster !== null) clock.adjust((await storeDrift(opened.cluster, clock)).driftMs)
  const secretBox = await openSecretBox({ config, storage: opened, random, logger })
  return {
    clock,
    random,
    newId,
    opened,
    storage: options.wrapStorage?.(opened) ?? opened,
    secretBox,
    logger,
    onError,
  }
}

type StoreParts = Omit<Parameters<typeof openSqliteStorage>[0], 'file'> & { clock: SystemClock }

/** The store that the configuration names: a file, or a database that is waited for. */
async function openStore(options: AppOptions, parts: StoreParts): Promise<Storage> {
  const { config, logger, storeTime, stopSignal } = options
  const { database } = config
  if (database === 'sqlite') {
    makeDataDirectory(config.dataDir)
    return openSqliteStorage({ file: storeFile(config), ...parts })
  }
  // With its driver: a server on a file needs neither.
  const { openPostgresStorage } = await import('./storage/postgres/open.ts')
  const open = () =>
    openPostgresStorage({
      url: database,
      cacheTtlMs: config.secretCacheTtlMs,
      ...parts,
      ...(storeTime === undefined ? {} : { storeTime }),
    })
  const { monotonic } = parts.clock
  return waitForStore(open, { at: config, logger, monotonic, stop: stopSignal })
}

/** What the jobs of several nodes agree on: who does them, and what time it is. */
function jobSharing({ storage, clock }: Base, isCandidate: boolean) {
  const { cluster } = storage
  return {
    lead: createLead({ cluster, isCandidate, monotonic: clock.monotonic }),
    storeDrift: cluster === null ? null : () => storeDrift(cluster, clock),
    forgetTokens: async () => cluster?.forgetTokens(),
  }
}

/** What the operator says of the API. */
function apiOptions(config: Config) {
  return {
    publicUrl: config.publicUrl,
    trustedProxies: config.trustedProxies,
    corsOrigins: config.corsOrigins,
    dialects: dialectApis(config.dialects),
    rateLimit: { perSecond: config.rateLimitPerSecond, burst: config.rateLimitBurst },
  }
}
