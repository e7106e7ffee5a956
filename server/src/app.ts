import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import type { ActionContext, ActionParts } from './actions/action-context.ts'
import { announceExpiries } from './actions/announce-expiries.ts'
import { noteClockJump } from './actions/note-clock-jump.ts'
import { settleEndpointHealth } from './actions/settle-endpoint-health.ts'
import { type Api, createApi } from './api/server.ts'
import { createClock, type SystemClock } from './clock.ts'
import type { Config } from './config.ts'
import { systemPrincipal } from './core/authorization.ts'
import { AppError } from './core/errors.ts'
import { createIdFactory } from './core/ids.ts'
import { limits } from './core/limits.ts'
import { createSecretBox, type SecretBox, SecretBoxError } from './core/secret-box.ts'
import { createAddressGuard } from './dispatcher/address-guard.ts'
import { createDispatcher, type Dispatcher } from './dispatcher/dispatcher.ts'
import { createNameResolver } from './dispatcher/name-resolver.ts'
import { startSenderThread } from './dispatcher/sender-link.ts'
import type { Verdict } from './dispatcher/sender-messages.ts'
import { loadOrCreateMasterKeys, loadOrCreateRootKeys } from './key-files.ts'
import type { Logger } from './logger.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { createRandom, type Random } from './random.ts'
import { StartError } from './start-error.ts'
import { migrateSqlite, type SqliteMigration } from './storage/sqlite/migrate.ts'
import { openSqliteStorage } from './storage/sqlite/open.ts'
import { type ClaimedDelivery, type Storage, StorageOpenError } from './storage/storage.ts'
import { createTimekeeping } from './timekeeping.ts'
import { createUrlPolicy } from './url-policy.ts'
import { version } from './version.ts'

export interface AppOptions {
  config: Config
  logger: Logger
  /** Tests move it; the process's own by default. */
  clock?: SystemClock
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
  /** Stops accepting, finishes or gives back what is in flight, closes. May be called again. */
  stop(deadlineMs: number): Promise<void>
}

/**
 * The composition root: config → storage → dispatcher and API. The only file that names an adapter.
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
    throw error instanceof StorageOpenError ? new StartError(error.message) : error
  }
}

/** Applies missing migrations and closes again: what `countersign migrate` does. */
export async function migrateStore(config: Config): Promise<SqliteMigration> {
  try {
    return await migrateSqlite(storeFile(config))
  } catch (error) {
    throw error instanceof StorageOpenError ? new StartError(error.message) : error
  }
}

async function start(
  options: AppOptions,
  releases: (() => Promise<void>)[],
  release: () => Promise<void>,
): Promise<App> {
  const { config, logger } = options
  const clock = options.clock ?? createClock()
  const random = createRandom()
  const newId = createIdFactory({ now: clock.now, randomBytes: random.bytes })
  const onError = (message: string, error: unknown) => logger.error({ err: error }, message)

  const opened = await openSqliteStorage({
    file: storeFile(config),
    clock,
    newId,
    leaseMs: config.attemptTimeoutMs + limits.leaseMarginMs,
    onError,
  })
  releases.push(() => opened.close())
  const storage = options.wrapStorage?.(opened) ?? opened
  const secretBox = await openSecretBox(config, opened, random, logger)
  const rootKeys = loadOrCreateRootKeys({ config, randomBytes: random.bytes })
  for (const warning of rootKeys.warnings) logger.warn(warning)

  const metrics = createMetrics({ storage, now: clock.now })
  const sender = startSenderThread({
    clock: clock.shared,
    allowHttp: config.allowHttp,
    allowedNetworks: config.allowedNetworks,
    allowedPorts: config.allowedPorts,
    slotsMax: config.concurrency,
    attemptTimeoutMs: config.attemptTimeoutMs,
    userAgent: `Countersign/${version}`,
  })
  releases.push(() => sender.end())

  const dispatcher: Dispatcher = createDispatcher({
    storage,
    clock,
    secretBox,
    sender,
    randomFraction: random.fraction,
    defaultRetryScheduleMs: config.retryScheduleMs,
    settleHealth: (tx, endpointId, outcomes) =>
      settleEndpointHealth(tx, systemContext(), endpointId, outcomes),
    onStored: metrics.attemptsStored,
    onError,
  })
  const parts: ActionParts = {
    storage: countingAccepted(storage, metrics),
    clock,
    newId,
    randomBytes: random.bytes,
    secretBox,
    settings: {
      dataBytesMax: config.dataBytesMax,
      endpointsPerProjectMax: config.endpointsPerProjectMax,
      expireCurrentInMinSeconds: config.expireCurrentInMinSeconds,
      expireCurrentInMaxSeconds: config.expireCurrentInMaxSeconds,
      blockAfterMs: config.blockAfterMs,
    },
    urlPolicy: createUrlPolicy(
      createAddressGuard({
        allowHttp: config.allowHttp,
        allowedNetworks: config.allowedNetworks,
        allowedPorts: config.allowedPorts,
        resolve: createNameResolver({ monotonicNow: clock.monotonic }),
      }),
    ),
    attemptNow: async (delivery) => summaryOf(await dispatcher.attemptNow(delivery), delivery),
  }
  const systemContext = (): ActionContext => ({
    ...parts,
    principal: systemPrincipal,
    requestId: null,
    sourceAddress: null,
    transact: (work) => storage.transact(work),
    keepsAnswer: false,
  })
  const timekeeping = createTimekeeping({
    clock,
    nextAnnouncementAt: () => storage.nextAnnouncementAt(),
    announce: () => announceExpiries(systemContext()),
    async onJump(jumpMs) {
      logger.warn({ jumpMs }, 'The wall clock jumped; the clock of this process follows it.')
      dispatcher.wake()
      await noteClockJump(systemContext(), jumpMs)
    },
    onError,
  })

  const api: Api = createApi({
    parts,
    rootKeys: rootKeys.keys,
    publicUrl: config.publicUrl,
    logger,
    metrics,
    consoleDirectory: options.consoleDirectory ?? null,
  })
  opened.connect({
    handOff: dispatcher.handOff,
    async onCommitted(changes) {
      api.forgetApiKeys(changes)
      if (changes.hasAnnouncements) timekeeping.wake()
      await dispatcher.onCommitted(changes)
    },
  })

  const url = await listen(api, config)
  releases.push(() => api.close())
  const metricsServer = await listenForMetrics(config, metrics)
  if (metricsServer !== null) releases.push(() => closeServer(metricsServer))
  dispatcher.start()
  timekeeping.start()
  releases.push(() => timekeeping.stop())

  let stopping: Promise<void> | null = null
  return {
    url,
    metricsUrl: metricsServer === null ? null : urlOf(metricsServer, config.host),
    rootKeys: rootKeys.keys,
    rootKeyFile: rootKeys.file,
    isRootKeyNew: rootKeys.isNew,
    failed: sender.failed,
    stop(deadlineMs) {
      stopping ??= (async () => {
        await timekeeping.stop()
        await api.close()
        await dispatcher.stop(deadlineMs)
        await release()
      })()
      return stopping
    },
  }
}

function storeFile(config: Config): string {
  return join(config.dataDir, 'countersign.db')
}

/** Opens the ring and makes sure that it fits what the store holds, before anything is changed. */
async function openSecretBox(
  config: Config,
  storage: Storage,
  random: Random,
  logger: Logger,
): Promise<SecretBox> {
  const checkKey = 'master_key_check'
  const check = await storage.getMeta(checkKey)
  const { keys, file, isNew, warnings } = loadOrCreateMasterKeys({
    config,
    randomBytes: random.bytes,
    isStoreSealed: check !== null,
  })
  for (const warning of warnings) logger.warn(warning)
  if (isNew) logger.info({ file }, 'Made a master key. Keep a copy of it apart from the backups.')
  const secretBox = createSecretBox({ masterKeys: keys, randomBytes: random.bytes })
  if (check === null) {
    await storage.transact((tx) => tx.setMeta(checkKey, secretBox.seal('countersign', checkKey)))
    return secretBox
  }
  try {
    secretBox.open(check, checkKey)
    return secretBox
  } catch (error) {
    if (!(error instanceof SecretBoxError)) throw error
    throw new StartError(
      `The master key does not fit the store in ${config.dataDir}: give the key that it was made with, in ${file ?? 'COUNTERSIGN_MASTER_KEYS'}.`,
    )
  }
}

/** The same storage, whose accepted events are counted. */
function countingAccepted(storage: Storage, metrics: Metrics): Storage {
  return Object.create(storage, {
    acceptEvents: {
      async value(events: Parameters<Storage['acceptEvents']>[0]) {
        const accepted = await storage.acceptEvents(events)
        let count = 0
        for (const { status } of accepted) if (status === 'accepted') count++
        metrics.eventsAccepted(count)
        return accepted
      },
    },
  })
}

function summaryOf(verdict: Verdict, delivery: ClaimedDelivery) {
  if (verdict.kind !== 'attempted') {
    throw new AppError('endpoint_deleted', {
      detail: `Endpoint ${delivery.endpointId} is gone; nothing was sent.`,
    })
  }
  const { succeeded, attempt } = verdict
  return {
    succeeded,
    statusCode: attempt.response?.statusCode ?? null,
    error: attempt.error,
    durationMs: attempt.durationMs,
  }
}

async function listen(api: Api, config: Config): Promise<string> {
  try {
    return await api.listen({ host: config.host, port: config.port })
  } catch (error) {
    throw listenError(error, config.host, config.port)
  }
}

async function listenForMetrics(config: Config, metrics: Metrics): Promise<Server | null> {
  const port = config.metricsPort
  if (port === null) return null
  const server = createServer(async (request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end()
      return
    }
    try {
      const text = await metrics.render()
      response.writeHead(200, { 'content-type': metrics.contentType }).end(text)
    } catch {
      response.writeHead(503).end()
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, config.host, port)))
    server.listen(port, config.host, resolve)
  })
  return server
}

function listenError(error: unknown, host: string, port: number): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EADDRINUSE') {
    return new StartError(
      `Port ${port} of ${host} is in use: stop what listens there, or choose another.`,
    )
  }
  if (code === 'EACCES')
    return new StartError(`This user may not listen on port ${port} of ${host}.`)
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new StartError(`${host} is not an address of this machine.`)
  }
  return error
}

function urlOf(server: Server, host: string): string {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port.')
  return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.closeAllConnections()
    server.close(() => resolve())
  })
}
