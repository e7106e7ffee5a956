import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import type { ActionParts, AttemptSummary } from './actions/action-context.ts'
import { createEventTypeDirectory } from './actions/effective-event-type.ts'
import type { SystemClock } from './clock.ts'
import type { Config } from './config.ts'
import { AppError } from './core/errors.ts'
import type { EventSchemas } from './core/event-schemas.ts'
import { limits } from './core/limits.ts'
import { createProbeLimiter } from './core/probe-limiter.ts'
import { createRotationOrder } from './core/rotation-order.ts'
import type { SecretPolicy } from './core/secret-policy.ts'
import { createAddressGuard } from './dispatcher/address-guard.ts'
import type { Dispatcher } from './dispatcher/dispatcher.ts'
import { createNameResolver } from './dispatcher/name-resolver.ts'
import { createProber } from './dispatcher/prober.ts'
import type { Verdict } from './dispatcher/sender-messages.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import type { Random } from './random.ts'
import type { ClaimedDelivery } from './storage/storage.ts'
import { createUrlPolicy } from './url-policy.ts'

/** What every action is given, made of what the process consists of. */
export function createParts(options: {
  config: Config
  base: Pick<ActionParts, 'storage' | 'newId' | 'secretBox'> & {
    clock: SystemClock
    random: Random
    logger: Logger
  }
  metrics: Metrics
  dispatcher: Dispatcher
  eventSchemas: EventSchemas
  wakeRecoveries: () => void
}): ActionParts {
  const { config, base, metrics, dispatcher, eventSchemas, wakeRecoveries } = options
  const guard = createAddressGuard({
    ...addressRules(config),
    resolve: createNameResolver({ monotonicNow: base.clock.monotonic }),
  })
  return {
    storage: base.storage,
    clock: base.clock,
    newId: base.newId,
    randomBytes: base.random.bytes,
    secretBox: base.secretBox,
    settings: {
      dataBytesMax: config.dataBytesMax,
      endpointsPerProjectMax: config.endpointsPerProjectMax,
      expireCurrentInMinSeconds: config.expireCurrentInMinSeconds,
      expireCurrentInMaxSeconds: config.expireCurrentInMaxSeconds,
      blockAfterMs: config.blockAfterMs,
      rotationCapMs: config.rotationCapMs,
      secretPolicy: secretPolicyOf(config),
      publicUrl: config.publicUrl?.replace(/\/+$/, '') ?? null,
      retentionDays: config.retentionDays,
    },
    urlPolicy: createUrlPolicy(guard),
    eventSchemas,
    eventTypes: createEventTypeDirectory({
      storage: base.storage,
      clock: base.clock,
      typesMax: limits.eventTypesKnownMax,
    }),
    noteAccepted: metrics.eventsAccepted,
    wakeRecoveries,
    attemptNow: async (delivery) => summaryOf(await dispatcher.attemptNow(delivery), delivery),
    probe: createProber({ ...base, dispatcher }),
    probeLimiter: createProbeLimiter(base.clock),
    rotationOrder: createRotationOrder({ pause }),
  }
}

/** What came in meanwhile is read before this ends, also where the process was held up. */
async function pause(ms: number): Promise<void> {
  await wait(ms)
  await turn()
}

/** What the operator says of old secrets. */
function secretPolicyOf(config: Config): SecretPolicy {
  return {
    maxAgeDays: config.secretMaxAgeDays,
    action: config.secretOverAgeAction,
    expireCurrentInSeconds: config.secretExpireCurrentInSeconds,
    completeWhen: config.secretCompleteWhen,
  }
}

/** What the operator says of addresses that deliveries go to. */
export function addressRules(config: Config) {
  const { allowHttp, allowedNetworks, allowedPorts } = config
  return { allowHttp, allowedNetworks, allowedPorts }
}

function summaryOf(verdict: Verdict, delivery: ClaimedDelivery): AttemptSummary {
  if (verdict.kind === 'released') {
    throw new AppError('storage_unavailable', {
      detail:
        'The secrets of the endpoint could not be read in time; the test is sent as soon as they can be.',
    })
  }
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
