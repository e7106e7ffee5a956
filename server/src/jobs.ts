import type { ActionContext } from './actions/action-context.ts'
import { announceExpiries } from './actions/announce-expiries.ts'
import { createPolicyRound } from './actions/apply-secret-policies.ts'
import { continueCampaigns } from './actions/continue-campaigns.ts'
import { continueRecoveries } from './actions/continue-recoveries.ts'
import { forgetExpired } from './actions/forget-expired.ts'
import { lookAtRotation } from './actions/look-at-rotation.ts'
import { removeOldEvents } from './actions/remove-old-events.ts'
import { createChore } from './chore.ts'
import type { SystemClock } from './clock.ts'
import { createClockWatch } from './clock-watch.ts'
import { limits } from './core/limits.ts'
import { type Lead, leadAskedEveryMs } from './lead.ts'
import { createRotationWatch } from './rotation-watch.ts'
import type { CommittedChanges, Storage } from './storage/storage.ts'
import type { StoreDrift } from './store-clock.ts'
import { createTimekeeping } from './timekeeping.ts'

/** What the server does by itself, beside serving and delivering. */
export interface Jobs {
  start(): Promise<void>
  /** Something may be due earlier than was known. */
  wakeFor(changes: CommittedChanges): void
  wakeRecoveries(): void
  stop(): Promise<void>
}

/** Retention may take this part of one core: delivery hardly notices. */
const retentionShareMax = 0.1
const retentionEveryMs = 10 * 60_000
/** Recovery is what someone waits for. */
const recoveryShareMax = 0.3
const recoveryEveryMs = 60_000
const noteTimeEveryMs = 60_000
/** Campaigns are paced by the second, policies by the day. */
const campaignsEveryMs = 1_000
/**
 * The longest that a leader of several nodes sleeps: another may appoint something, and the word of it
 * be lost. Whoever leads again has then looked since another one led in between.
 */
const sleepMsMaxOnCluster = 2 * limits.leadMs
const policiesEveryMs = 10 * 60_000
const rotationShareMax = 0.3

export function createJobs(options: {
  clock: SystemClock
  lead: Lead
  storeDrift: (() => Promise<StoreDrift>) | null
  /** Forgets shared limits that are no longer used. */
  forgetTokens(): Promise<void>
  storage: Pick<Storage, 'nextAnnouncementAt' | 'nextLookAt' | 'listDueLooks'>
  /** Asked at each step: not called before `start`. */
  context: () => ActionContext
  /** The clock was set: what is due may have changed. */
  onClockJump(): void
  onError(message: string, error: unknown): void
  warn(facts: object, message: string): void
}): Jobs {
  const { clock, lead, storage, context, onError } = options
  const { monotonic } = clock
  /** Work that one node does for all; the others say `otherwise`. */
  const whereLeading =
    <Args extends unknown[], T>(work: (...args: Args) => Promise<T>, otherwise: () => T) =>
    async (...args: Args): Promise<T> =>
      (await lead.isOurs()) ? work(...args) : otherwise()
  const askLater = () => clock.now() + leadAskedEveryMs
  const isShared = options.storeDrift !== null
  const soonOf = async (next: Promise<number | null>) => {
    const at = await next
    return isShared ? Math.min(at ?? Infinity, clock.now() + sleepMsMaxOnCluster) : at
  }
  const clockWatch = createClockWatch({ context, monotonic, warn: options.warn })
  const timekeeping = createTimekeeping({
    clock,
    storeDrift: options.storeDrift,
    nextAnnouncementAt: whereLeading(() => soonOf(storage.nextAnnouncementAt()), askLater),
    announce: whereLeading(
      () => announceExpiries(context()),
      () => 0,
    ),
    forget: whereLeading(
      async () => {
        await forgetExpired(context())
        await options.forgetTokens()
      },
      () => undefined,
    ),
    async onJump(jumpMs) {
      options.warn({ jumpMs }, 'The wall clock jumped; the clock of this process follows it.')
      options.onClockJump()
      watch.wake()
      if (await lead.isOurs()) await clockWatch.jumped(jumpMs)
    },
    onError,
  })
  const watch = createRotationWatch({
    now: clock.now,
    nextLookAt: whereLeading(() => soonOf(storage.nextLookAt()), askLater),
    listDue: whereLeading(
      (limit: number) => storage.listDueLooks(clock.now(), limit),
      () => [],
    ),
    look: (due) => lookAtRotation(context(), due),
    onError,
  })
  // Wherever one was asked for, and so without a wait; the lead is no matter, as a step is a whole.
  const recoveries = createChore({
    step: () => continueRecoveries(context()),
    everyMs: recoveryEveryMs,
    shareMax: recoveryShareMax,
    monotonic,
    onError: (error) => onError('A recovery could not go on; trying again.', error),
  })
  const retention = createChore({
    step: whereLeading(
      async () => clockWatch.mayRemove() && removeOldEvents(context()),
      () => false,
    ),
    everyMs: retentionEveryMs,
    shareMax: retentionShareMax,
    monotonic,
    onError: (error) => onError('Old events could not be removed; trying again.', error),
  })
  const campaignTurns = createCampaignTurns({ context, monotonic, isShared })
  const campaigns = createChore({
    step: whereLeading(campaignTurns.take, () => false),
    everyMs: campaignsEveryMs,
    shareMax: rotationShareMax,
    monotonic,
    onError: (error) => onError('A campaign could not go on; trying again.', error),
  })
  const policies = createChore({
    step: whereLeading(createPolicyRound(context), () => false),
    everyMs: policiesEveryMs,
    shareMax: rotationShareMax,
    monotonic,
    onError: (error) => onError('Old secrets could not be looked at; trying again.', error),
  })
  const timeNotes = createChore({
    async step() {
      if (await lead.isOurs()) await clockWatch.noteTime()
      return false
    },
    everyMs: noteTimeEveryMs,
    shareMax: 1,
    monotonic,
    onError: (error) => onError('The time could not be noted; trying again.', error),
  })
  return {
    async start() {
      if (await lead.isOurs()) await clockWatch.start()
      timeNotes.start()
      timekeeping.start()
      watch.start()
      recoveries.start()
      retention.start()
      campaigns.start()
      policies.start()
    },
    wakeFor(changes) {
      if (!changes.hasAppointments) return
      timekeeping.wake()
      watch.wake()
      campaignTurns.mayBegin()
      campaigns.wake()
    },
    wakeRecoveries: recoveries.wake,
    async stop() {
      const parts = [timeNotes, timekeeping, watch, recoveries, retention, campaigns, policies]
      await Promise.all(parts.map((part) => part.stop()))
      await lead.end().catch((error) => onError('The lead could not be given up.', error))
    },
  }
}

/**
 * Goes on with campaigns as often as it is asked. Where that is a question over the network, and none
 * runs, it asks rarely until it hears that one may.
 */
function createCampaignTurns(options: {
  context: () => ActionContext
  monotonic: () => number
  isShared: boolean
}) {
  const { context, monotonic, isShared } = options
  let mayRun = true
  let hasHeard = false
  let asksAgainAt = 0
  return {
    async take(): Promise<boolean> {
      if (!mayRun && !hasHeard && monotonic() < asksAgainAt) return false
      hasHeard = false
      const isMore = await continueCampaigns(context())
      if (isMore || !isShared) return isMore
      const { storage } = context()
      mayRun = (await storage.listDueCampaigns(Number.MAX_SAFE_INTEGER, 1)).length > 0
      asksAgainAt = monotonic() + sleepMsMaxOnCluster
      return false
    },
    mayBegin() {
      hasHeard = true
    },
  }
}
