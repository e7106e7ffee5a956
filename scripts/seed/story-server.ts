import type { ActionContext, ActionParts } from '../../server/src/actions/action-context.ts'
import { announceExpiries } from '../../server/src/actions/announce-expiries.ts'
import { createPolicyRound } from '../../server/src/actions/apply-secret-policies.ts'
import { continueCampaigns } from '../../server/src/actions/continue-campaigns.ts'
import { continueRecoveries } from '../../server/src/actions/continue-recoveries.ts'
import { createEventTypeDirectory } from '../../server/src/actions/effective-event-type.ts'
import { lookAtRotation } from '../../server/src/actions/look-at-rotation.ts'
import { settleEndpointHealth } from '../../server/src/actions/settle-endpoint-health.ts'
import type { Config } from '../../server/src/config.ts'
import { type Actor, rootPrincipal, systemActor } from '../../server/src/core/authorization.ts'
import type { Clock } from '../../server/src/core/clock.ts'
import { createIdFactory } from '../../server/src/core/ids.ts'
import { limits } from '../../server/src/core/limits.ts'
import { createProbeLimiter } from '../../server/src/core/probe-limiter.ts'
import { createRotationOrder } from '../../server/src/core/rotation-order.ts'
import { makeDataDirectory } from '../../server/src/data-directory.ts'
import { createDispatcher, type Dispatcher } from '../../server/src/dispatcher/dispatcher.ts'
import type { HttpSender } from '../../server/src/dispatcher/http-sender.ts'
import { createProber } from '../../server/src/dispatcher/prober.ts'
import { createSender } from '../../server/src/dispatcher/sender.ts'
import type { FromSender } from '../../server/src/dispatcher/sender-messages.ts'
import { createEventSchemaChecker } from '../../server/src/event-schema-checker.ts'
import { loadOrCreateRootKeys } from '../../server/src/key-files.ts'
import type { Logger } from '../../server/src/logger.ts'
import { openSecretBox } from '../../server/src/open-secret-box.ts'
import { createRandom } from '../../server/src/random.ts'
import { openSqliteStorage } from '../../server/src/storage/sqlite/open.ts'
import type { Storage } from '../../server/src/storage/storage.ts'
import { storeFile } from '../../server/src/store-file.ts'

/** The real server without its doors, on a clock that only a story moves. */
export interface StoryServer extends AsyncDisposable {
  clock: Clock
  /** The context of whoever acts. */
  as(actor?: Actor): ActionContext
  /** Moves time on, and does what it brings: retries, expiries, looks at rotations, campaigns. */
  moveTo(at: number): Promise<void>
  /** Resolves when everything that is due now was attempted and recorded. */
  settled(): Promise<void>
}

const policiesEveryMs = 6 * 3_600_000
/** What cannot be sent now, because its endpoint is to be spared, stays due. */
const claimTriesMax = 4

export async function openStoryServer(options: {
  config: Config
  logger: Logger
  network: (clock: Clock) => Pick<HttpSender, 'send'>
  beginsAt: number
}): Promise<StoryServer> {
  const { config, logger } = options
  await using releases = new AsyncDisposableStack()
  const time = createStoryClock(options.beginsAt)
  const { clock } = time
  const random = createRandom()
  const newId = createIdFactory({ now: clock.now, randomBytes: random.bytes })
  makeDataDirectory(config.dataDir)
  const storage = await openSqliteStorage({
    file: storeFile(config),
    clock,
    newId,
    leaseMs: config.attemptTimeoutMs + limits.leaseMarginMs,
  })
  releases.defer(() => storage.close())
  const secretBox = await openSecretBox({ config, storage, random, logger })
  loadOrCreateRootKeys({ config, randomBytes: random.bytes })
  const onError = (_message: string, error: unknown) => {
    throw error
  }
  const base = { storage, clock, newId, randomBytes: random.bytes, secretBox }
  const link = createStorySender({ ...base, config, http: options.network(clock) })
  time.onMove(link.wake)
  const dispatcher = createDispatcher({
    ...base,
    sender: link,
    randomFraction: random.fraction,
    isClaiming: true,
    defaultRetryScheduleMs: config.retryScheduleMs,
    settleHealth: (tx, id, outcomes) => settleEndpointHealth(tx, as(systemActor), id, outcomes),
    onStored: ({ results, fencedCount }) => link.recorded(results.length + fencedCount),
    onError,
  })
  const eventSchemas = createEventSchemaChecker({ monotonic: () => performance.now() })
  releases.defer(() => eventSchemas.stop())
  const recoveries = { areOpen: false }
  const parts = createParts({ ...base, config, eventSchemas, dispatcher, recoveries })
  const as = (actor?: Actor) => contextOf(parts, actor)
  storage.connect({
    handOff: dispatcher.handOff,
    async onCommitted(changes) {
      parts.eventTypes.forget(changes)
      await dispatcher.onCommitted(changes)
    },
  })
  const settled = () => settle({ storage, clock, dispatcher, link, moveTo: time.moveTo })
  const chores = createChores({ storage, clock, context: () => as(systemActor), recoveries })
  const ending = releases.move()
  return {
    clock,
    as,
    settled,
    async moveTo(at) {
      time.moveTo(at)
      await settled()
      await chores()
    },
    async [Symbol.asyncDispose]() {
      await dispatcher.stop(1_000)
      await ending.disposeAsync()
    },
  }
}

function contextOf(parts: ActionParts, actor: Actor = rootPrincipal.actor): ActionContext {
  const isAsked = actor.type !== 'system'
  return {
    ...parts,
    principal: { ...rootPrincipal, actor },
    requestId: isAsked ? `req_${Buffer.from(parts.randomBytes(12)).toString('hex')}` : null,
    sourceAddress: isAsked ? '203.0.113.24' : null,
    transact: (work) => parts.storage.transact(work),
    keepsAnswer: false,
  }
}

function createStoryClock(beginsAt: number) {
  let now = beginsAt
  let moved = () => {}
  return {
    clock: { now: () => Math.floor(now), monotonic: () => now - beginsAt } satisfies Clock,
    onMove(listener: () => void) {
      moved = listener
    },
    moveTo(at: number) {
      now = Math.max(now, at)
      moved()
    },
  }
}

/** The real sender in this thread; its timers follow the story's clock. */
function createStorySender(
  options: Pick<ActionParts, 'clock' | 'newId' | 'randomBytes'> & {
    config: Config
    http: Pick<HttpSender, 'send'>
  },
) {
  const { clock, config } = options
  let listener = (_message: FromSender) => {}
  let timer: { at: number; work: () => void } | null = null
  let underWay = 0
  const sender = createSender({
    ...options,
    guard: { checkUrl: (text) => ({ ok: true, url: new URL(text) }) },
    slotsMax: config.concurrency,
    attemptTimeoutMs: config.attemptTimeoutMs,
    userAgent: 'Countersign/0.1.0',
    post: (message) => void setImmediate(() => listener(message)),
    soon: setImmediate,
    wakeAfter(delayMs, work) {
      timer = { at: clock.now() + delayMs, work }
    },
  })
  return {
    post(message: Parameters<typeof sender.receive>[0]) {
      if (message.kind === 'deliveries') underWay += message.deliveries.length
      setImmediate(() => sender.receive(message))
    },
    onMessage(given: (message: FromSender) => void) {
      listener = given
    },
    recorded(count: number) {
      underWay -= count
    },
    wake() {
      if (timer === null || timer.at > clock.now()) return
      const { work } = timer
      timer = null
      work()
    },
    /** Lets time pass only where the sender itself waits: to spare an endpoint. */
    async allRecorded(moveTo: (at: number) => void) {
      while (underWay > 0) {
        const before = underWay
        await turns(turnsOfARequest)
        if (underWay === before && timer !== null) moveTo(timer.at)
      }
    },
  }
}

/** Enough for a request, its answer and its record. */
const turnsOfARequest = 40

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Until what is claimed has reached the sender. */
const turnsOfAClaim = 6

async function settle(parts: {
  storage: Storage
  clock: Clock
  dispatcher: Dispatcher
  link: ReturnType<typeof createStorySender>
  moveTo: (at: number) => void
}): Promise<void> {
  const { storage, clock, dispatcher, link, moveTo } = parts
  for (let tries = 0; tries < claimTriesMax; tries++) {
    await link.allRecorded(moveTo)
    const dueAt = await storage.nextDueAt()
    if (dueAt === null || dueAt > clock.now()) return
    dispatcher.wake()
    await turns(turnsOfAClaim)
  }
}

/** What the server does by itself, as its time comes. */
function createChores(options: {
  storage: Storage
  clock: Clock
  context: () => ActionContext
  recoveries: { areOpen: boolean }
}): () => Promise<void> {
  const { storage, clock, context, recoveries } = options
  const policyRound = createPolicyRound(context)
  let policiesAt = 0
  return async () => {
    const now = clock.now()
    if (((await storage.nextAnnouncementAt()) ?? Infinity) <= now) await announceExpiries(context())
    if (((await storage.nextLookAt()) ?? Infinity) <= now) {
      for (const due of await storage.listDueLooks(now, 100)) await lookAtRotation(context(), due)
    }
    while (recoveries.areOpen) recoveries.areOpen = await continueRecoveries(context())
    while (await continueCampaigns(context()));
    if (now < policiesAt) return
    policiesAt = now + policiesEveryMs
    while (await policyRound());
  }
}

function createParts(
  options: Pick<ActionParts, 'storage' | 'clock' | 'newId' | 'randomBytes' | 'secretBox'> &
    Pick<ActionParts, 'eventSchemas'> & {
      config: Config
      dispatcher: Dispatcher
      recoveries: { areOpen: boolean }
    },
): ActionParts {
  const { config, dispatcher, recoveries, ...parts } = options
  return {
    ...parts,
    settings: {
      dataBytesMax: config.dataBytesMax,
      endpointsPerProjectMax: config.endpointsPerProjectMax,
      expireCurrentInMinSeconds: config.expireCurrentInMinSeconds,
      expireCurrentInMaxSeconds: config.expireCurrentInMaxSeconds,
      blockAfterMs: config.blockAfterMs,
      rotationCapMs: config.rotationCapMs,
      secretPolicy: {
        maxAgeDays: config.secretMaxAgeDays,
        action: config.secretOverAgeAction,
        expireCurrentInSeconds: config.secretExpireCurrentInSeconds,
        completeWhen: config.secretCompleteWhen,
      },
      publicUrl: config.publicUrl,
      retentionDays: config.retentionDays,
    },
    // The receivers are not there, so neither are their names.
    urlPolicy: { problemOf: () => null, addressProblemOf: async () => null },
    eventTypes: createEventTypeDirectory({ ...parts, typesMax: 100 }),
    noteAccepted: () => {},
    wakeRecoveries() {
      recoveries.areOpen = true
    },
    attemptNow: async () => ({ succeeded: true, statusCode: 204, error: null, durationMs: 31 }),
    probe: createProber({ ...parts, dispatcher, logger: { info: () => {} } }),
    probeLimiter: createProbeLimiter(parts.clock),
    rotationOrder: createRotationOrder({ pause: async () => {} }),
  }
}
